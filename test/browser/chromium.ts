/** The machine's own Chromium. In CI it has to be there; elsewhere the pages' tests say why they do not run. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATHS = [
  process.env.SPANLOOM_CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
]

export const chromiumPath = PATHS.find((path) => path !== '' && existsSync(path))

/** Whether the pages' tests have to be skipped; prints why. @throws in CI, where none may be. */
export function chromiumMissing(): boolean {
  if (chromiumPath !== undefined) return false
  const why =
    'No Chromium: the tests of the pages are skipped. Install it (Debian: apt-get install chromium) or name it in SPANLOOM_CHROMIUM.'
  if (process.env.CI !== undefined) throw new Error(why)
  console.warn(why)
  return true
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
  })
}
