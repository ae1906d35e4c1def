/**
 * Puts footers on the ES modules that have a patch, as they are loaded. By synchronous hooks where they are
 * sound: before 22.22.3, 24.11.1 and 25.1 they change how CommonJS is loaded, and on 22.15 an import of
 * express fails with them. Older versions get the same footers from a loader thread (esm-loader.ts), which
 * costs them about 40 ms at start. That thread sees what is imported but has not the modules: of one of node's own
 * it tells the main thread, and waits until that has handed it over.
 *
 * A CommonJS file that an ES module imports directly comes through here as well, and then by what node publishes.
 */
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { ownFile } from '../lib/own-file.ts'
import { CATALOGUE } from './catalogue.ts'
import { footerOf, isSupported, MODULE_RECEIVER, RUNTIME, TargetFiles } from './footers.ts'
import { readManifest } from './module-hook.ts'

interface LoadResult {
  format?: string | null | undefined
  source?: string | ArrayBuffer | NodeJS.TypedArray | undefined
}

/** Major → the first version in which synchronous hooks leave CommonJS as it is. */
const SOUND_SINCE: Readonly<Record<number, readonly [number, number]>> = {
  22: [22, 3],
  24: [11, 1],
  25: [1, 0]
}

/** Returns what takes the hook back, where that can be done. */
export function hookEsModules(nodeVersion: string = process.versions.node): () => void {
  if (hasSoundHooks(nodeVersion)) {
    const hooks = module.registerHooks({
      load: (url, context, nextLoad) => {
        if (url.startsWith('node:')) handBuiltin(url.slice('node:'.length))
        const loaded = nextLoad(url, context)
        // The app's own files go by with one search of their address.
        if (!url.includes('/node_modules/')) return loaded
        return withFooter(url, loaded as LoadResult) as typeof loaded
      }
    })
    return () => hooks.deregister()
  }
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (name: string) => {
    handBuiltin(name)
    port1.postMessage(name)
  })
  port1.unref()
  module.register(ownFile('instrument/esm-loader'), { data: port2, transferList: [port2] })
  return () => port1.close()
}

export function hasSoundHooks(nodeVersion: string): boolean {
  const [major = 0, minor = 0, patch = 0] = nodeVersion
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  if (major > 25) return true
  const since = SOUND_SINCE[major]
  if (since === undefined) return false
  return minor > since[0] || (minor === since[0] && patch >= since[1])
}

/** Node's own modules that have a patch, by their names without `node:`. */
export const builtins: ReadonlySet<string> = new Set(
  CATALOGUE.flatMap(({ modules = [] }) => modules)
    .filter(({ packageName }) => packageName === RUNTIME)
    .map(({ file }) => file)
)

/** Hands over a module of the runtime that is about to be imported. The receiver takes it once. */
function handBuiltin(name: string): void {
  if (!builtins.has(name)) return
  const receive = (globalThis as Record<symbol, unknown>)[Symbol.for(MODULE_RECEIVER)] as
    | ((packageName: string, version: string, file: string, exports: unknown) => void)
    | undefined
  receive?.(RUNTIME, process.versions.node, name, process.getBuiltinModule(name))
}

let files: TargetFiles | undefined

/** What was loaded, with a footer where it is a supported target. */
export function withFooter(url: string, loaded: LoadResult): LoadResult {
  const { format, source } = loaded
  if (source === undefined || source === null) return loaded
  if (format !== 'module' && format !== 'commonjs') return loaded
  if (!url.startsWith('file:') || !url.includes('/node_modules/')) return loaded
  files ??= new TargetFiles(CATALOGUE, readManifest)
  const matches = files.find(fileURLToPath(url).replaceAll('\\', '/'))
  if (matches.length === 0) return loaded
  const footer = footerOf(matches.filter(isSupported), format === 'module' ? 'esm' : 'commonjs')
  if (footer === '') return loaded
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
  return { ...loaded, source: text + footer }
}
