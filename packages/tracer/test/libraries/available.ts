/** Whether the libraries are installed (`npm ci` in this folder). Without them their tests are skipped, but not in CI. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const LIBRARIES_FOLDER = fileURLToPath(new URL('.', import.meta.url))

export function librariesAvailable(): boolean {
  if (existsSync(`${LIBRARIES_FOLDER}node_modules`)) return true
  if (process.env.CI === 'true') throw new Error(`Run npm ci in ${LIBRARIES_FOLDER}`)
  console.warn(`Skipped: the libraries are not installed; run npm ci in ${LIBRARIES_FOLDER}`)
  return false
}
