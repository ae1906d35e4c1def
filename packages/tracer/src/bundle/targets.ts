/**
 * What the bundler plugins share: which files get a footer, and what stays outside of the bundle. The
 * tracer itself is never bundled: it starts before the app and has a thread of its own to load.
 */
import { CATALOGUE } from '../instrument/catalogue.ts'
import { footerOf, isSupported, TargetFiles } from '../instrument/footers.ts'
import { readManifest } from '../instrument/module-hook.ts'

/** `@spanloom/tracer` and what is below it. */
export const TRACER_PATTERN = /^@spanloom\/tracer(?:\/|$)/
/** Every file that can be a target; bundlers ask it before they call back. */
export const LIBRARY_PATTERN = /[\\/]node_modules[\\/].*\.[cm]?js$/

const files = new TargetFiles(CATALOGUE, readManifest)

/** The footer for a file, '' when it has none. A query behind the path, as Vite adds, is ignored. */
export function footerFor(id: string): string {
  const path = id.replaceAll('\\', '/').replace(/[?#].*$/, '')
  const matches = files.find(path).filter(isSupported)
  const isEsModule = matches.some(({ target }) => target.esm !== undefined)
  return footerOf(matches, isEsModule ? 'esm' : 'commonjs')
}
