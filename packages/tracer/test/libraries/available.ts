/**
 * Whether the libraries of this folder are installed (`npm ci` here). Without them the tests that need them
 * are skipped and say so; with CI set they run, and fail.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const LIBRARIES_FOLDER = fileURLToPath(new URL('.', import.meta.url))

export const LIBRARY_APPS = `${LIBRARIES_FOLDER}apps/`

export const librariesAreThere =
  existsSync(`${LIBRARIES_FOLDER}node_modules/express`) || process.env.CI === 'true'

if (!librariesAreThere) {
  console.log(`skipped: the libraries are not installed; run \`npm ci\` in ${LIBRARIES_FOLDER}`)
}
