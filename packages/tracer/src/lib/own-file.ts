/** The tracer's own files that are loaded when they are needed: by their place below `src`, or below `dist`. */
import { readFileSync } from 'node:fs'
import module, { createRequire, findPackageJSON } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The source runs as it is in the repository's tests, and built everywhere else. */
const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The build puts this file into `dist/chunks` (build.ts), so `..` is the root in both. */
const ROOT = new URL('..', import.meta.url)

/** `path` from the root, with slashes and without an ending: `send/worker`. */
export function ownFile(path: string): URL {
  return new URL(`${path}.${ENDING}`, ROOT)
}

export const requireAny: NodeJS.Require = createRequire(import.meta.url)

interface Compiled {
  _compile(text: string, path: string, format: 'module'): void
}

type Extensions = Record<string, (compiled: Compiled, path: string) => void>

const extensions = (module as unknown as { readonly _extensions: Extensions })._extensions

/**
 * tsx makes a CommonJS module of what CommonJS requires: nothing of the tracer but a file that was required
 * itself is in this cache otherwise.
 */
const isCommonJs = requireAny.cache[fileURLToPath(import.meta.url)] !== undefined

/**
 * As the tracer itself was loaded. tsx replaces what `.js` is loaded by, before the tracer or after it, and its
 * own would make a second copy of all that the file imports: spans of one copy are none to the other.
 */
export function requireOwn<Code>(path: string): Code {
  const replaced = extensions['.js']!
  if (ENDING === 'js' && !isCommonJs) extensions['.js'] = asModule
  try {
    return requireAny(`../${path}.${ENDING}`) as Code
  } finally {
    extensions['.js'] = replaced
  }
}

function asModule(compiled: Compiled, path: string): void {
  compiled._compile(readFileSync(path, 'utf8'), path, 'module')
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
