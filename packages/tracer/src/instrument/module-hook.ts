/**
 * Tells when a file of a library that has a patch has been evaluated, and hands its exports to the patch.
 *
 *   CommonJS    node publishes every `require` on `tracing:module.require:end`, with what was asked for, by
 *               whom, and the exports; an ES module's `import` of it too, with the file and by nobody. Nothing is
 *               rewritten: it adds 1 µs a `require`, and it is the same in Node 22.15, 24 and 26. What may be a target shows by the id's last word; under an npm
 *               alias (`"pgx": "npm:pg@8"`) a package is looked at once, by the file that it is
 *   ES module   a footer hands the exports over (footers.ts), put on by a load hook (esm-hook.ts)
 *   bundle      the same footers, put on by a bundler's plugin; what was evaluated before us waits on a list
 *   node's own  by the same two: a `require` of its name, and the load hook
 *   before us   what was loaded before the tracer is found in the module cache. Patches wrap prototypes where
 *               they can, so objects that the app has made by then are served as well
 */
import { tracingChannel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, resolve } from 'node:path'
import { requireAny } from '../lib/own-file.ts'
import {
  isSupported,
  type Manifest,
  MODULE_RECEIVER,
  RUNTIME,
  TargetFiles,
  WAITING_MODULES
} from './footers.ts'
import type { Entry, LoadedModule, ModuleTarget } from './registry.ts'

/** Called once for each exports object of a supported target. */
export type OnModule = (
  entry: Entry,
  target: ModuleTarget,
  exports: unknown,
  module: LoadedModule
) => void

interface RequireMessage {
  readonly id: string
  readonly parentFilename?: string
  readonly result?: unknown
}

type Receiver = (
  packageName: string,
  version: string,
  file: string,
  exports: unknown,
  seen?: LoadedModule['seen']
) => void

/** `onModule` and `onUnsupported` never throw. Returns what ends the watch. */
export function watchModules(
  entries: readonly Entry[],
  onModule: OnModule,
  onUnsupported: OnModule
): () => void {
  const files = new TargetFiles(entries, readManifest)
  const owners = new Map<ModuleTarget, Entry>()
  /** Last words of the ids by which targets may be required. */
  const words = new Set<string>()
  for (const entry of entries) {
    for (const target of entry.modules ?? []) {
      owners.set(target, entry)
      for (const word of wordsOf(target)) words.add(word)
    }
  }
  /** Ids of whole packages that have been looked at. */
  const packages = new Set<string>()
  const handed = new WeakMap<object, Set<ModuleTarget>>()
  const { cache } = requireAny

  function hand(
    target: ModuleTarget,
    exports: unknown,
    version: string,
    seen: LoadedModule['seen']
  ): void {
    const isObject =
      typeof exports === 'function' || (typeof exports === 'object' && exports !== null)
    if (!isObject) return
    const known = handed.get(exports as object) ?? new Set()
    handed.set(exports as object, known)
    if (known.has(target)) return
    known.add(target)
    const { packageName, file } = target
    const module = { packageName, version, file, seen }
    const supported = isSupported({ target, manifest: { name: packageName, version } })
    const tell = supported ? onModule : onUnsupported
    tell(owners.get(target)!, target, exports, module)
  }

  function handFile(path: string, exports: unknown, seen: LoadedModule['seen']): void {
    for (const { target, manifest } of files.find(path.replaceAll('\\', '/'))) {
      hand(target, exports, manifest.version, seen)
    }
  }

  function onRequired(message: unknown): void {
    const { id, parentFilename, result } = message as RequireMessage
    if (typeof id !== 'string') return
    if (parentFilename === undefined) {
      if (words.has(lastWord(id))) handFile(id, result, 'import')
      return
    }
    if (!words.has(lastWord(id))) {
      if (isPackage(id) && !packages.has(id)) lookAtPackage(id, parentFilename, result)
      return
    }
    if (isBuiltin(id)) {
      receive(RUNTIME, process.versions.node, id.replace('node:', ''), result)
      return
    }
    const path = resolveId(id, parentFilename)
    // Of files that require each other, one is met half evaluated: it is met again when it is whole.
    if (path === undefined || cache[path]?.loaded === false) return
    handFile(path, result, 'require')
  }

  /** Its manifest is read only where its main file is called as a target is: 80 µs. */
  function lookAtPackage(id: string, parentFilename: string, result: unknown): void {
    if (result === undefined || isBuiltin(id)) return
    packages.add(id)
    // What has just been loaded is the last child, and no path has to be found out.
    const last = cache[parentFilename]?.children.at(-1)
    const path = last?.exports === result ? last?.filename : resolveId(id, parentFilename)
    if (path === undefined || ROOT_INDEX.test(path)) return
    if (cache[path]?.loaded === false) packages.delete(id)
    else handFile(path, result, 'require')
  }

  const receive: Receiver = (packageName, version, file, exports, seen = 'import') => {
    for (const [target] of owners) {
      if (target.packageName === packageName && target.file === file) {
        hand(target, exports, version, seen)
      }
    }
  }

  const required = tracingChannel('module.require')
  const subscribers = { end: onRequired } as unknown as Parameters<typeof required.subscribe>[0]
  required.subscribe(subscribers)
  const known = globalThis as Record<symbol, unknown>
  known[Symbol.for(MODULE_RECEIVER)] = receive
  const waiting = known[Symbol.for(WAITING_MODULES)] as Parameters<Receiver>[] | undefined
  for (const [packageName, version, file, exports] of waiting?.splice(0) ?? []) {
    receive(packageName, version, file, exports, 'bundle')
  }
  for (const [{ packageName, file }] of owners) {
    if (packageName === RUNTIME && isLoaded(file)) {
      receive(RUNTIME, process.versions.node, file, process.getBuiltinModule(file))
    }
  }
  for (const path of Object.keys(cache)) {
    if (!words.has(lastWord(path))) continue
    const module = cache[path]
    // One that waits for its turn is met when it is required.
    if (module?.loaded === true) handFile(path, module.exports, 'cache')
  }
  return () => {
    required.unsubscribe(subscribers)
    delete known[Symbol.for(MODULE_RECEIVER)]
  }
}

/** Node lists what it has loaded, and says so nowhere: without the list the module counts as not loaded. */
function isLoaded(builtin: string): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] }
  return moduleLoadList?.includes(`NativeModule ${builtin}`) === true
}

/** `lib/client.js` is required as `./client` or `./client.js`; `lib/index.js` as `./lib` or by its package. */
function wordsOf({ file, packageName }: ModuleTarget): string[] {
  if (packageName === RUNTIME) return [file, `node:${file}`]
  const parts = file.split('/')
  return [lastWord(file), parts.at(-2) ?? '', lastWord(packageName)]
}

function lastWord(path: string): string {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  const dot = path.lastIndexOf('.')
  return path.slice(slash + 1, dot > slash + 1 && /\.[cm]?js$/.test(path) ? dot : path.length)
}

/**
 * What two of three packages have as their main file. The one target of this name, pg-pool's, is what pg
 * requires, and not worth the reading of so many manifests.
 */
const ROOT_INDEX = /[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+[\\/]index\.js$/

/** Of a package as a whole: `pg`, `@scope/pg`. */
function isPackage(id: string): boolean {
  if (id.startsWith('.') || id.includes(':')) return false
  const slash = id.indexOf('/')
  return slash < 0 || (id.startsWith('@') && id.indexOf('/', slash + 1) < 0)
}

function resolveId(id: string, parentFilename: string): string | undefined {
  if (id.startsWith('.') && /\.[cm]?js$/.test(id)) return resolve(dirname(parentFilename), id)
  try {
    return createRequire(parentFilename).resolve(id)
  } catch {
    // A parent that is no file (a REPL, a virtual module).
    return undefined
  }
}

export function readManifest(folder: string): Manifest | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    return typeof name === 'string' ? { name, version: String(version) } : undefined
  } catch {
    // Not a package's folder: some other module of the same file name.
    return undefined
  }
}
