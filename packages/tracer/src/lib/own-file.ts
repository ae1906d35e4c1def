/** The tracer's own files that are loaded when they are needed: by their place below `src`, or below `dist`. */
import { readFileSync } from 'node:fs'
import module, { createRequire, findPackageJSON } from 'node:module'

/** The source runs as it is in the repository's tests, and built everywhere else. */
const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The build puts this file into `dist/chunks` (build.ts), so `..` is the root in both. */
const ROOT = new URL('..', import.meta.url)

/** `path` from the root, with slashes and without an ending: `send/worker`. */
export function ownFile(path: string): URL {
  return new URL(`${path}.${ENDING}`, ROOT)
}

export const requireAny: NodeJS.Require = createRequire(import.meta.url)

type Extensions = Record<string, unknown>

const extensions = (module as unknown as { readonly _extensions: Extensions })._extensions
const ownJs = extensions['.js']

/**
 * By node's own loading of `.js`: tsx, which comes after the tracer, replaces it by one that would make a second
 * copy of all that the file imports, and spans of one copy are none to the other.
 */
export function requireOwn<Code>(path: string): Code {
  const replaced = extensions['.js']
  extensions['.js'] = ownJs
  try {
    return requireAny(`../${path}.${ENDING}`) as Code
  } finally {
    extensions['.js'] = replaced
  }
}

/**
 * Of the API that is installed for us, and that the app has: copies of it share what is registered only
 * while their versions agree, and the one in our bundle is as old as the build. The bundle asks (build.ts).
 */
export function installedApiVersion(bundled: string): string {
  try {
    const manifest = findPackageJSON('@opentelemetry/api', import.meta.url)
    return String(JSON.parse(readFileSync(manifest!, 'utf8')).version)
  } catch {
    // Not to be found where an app is packed in an unusual way: its copy is most likely the same.
    return bundled
  }
}
