/**
 * Tells when a module that has a patch has been loaded, without a loader.
 *
 * Node publishes every `require` on the channel `tracing:module.require:end`, with what was asked for, by
 * whom, and the exports. Libraries that need a patch are CommonJS inside, and an ESM `import` of them
 * goes the same way, so this one subscription serves CommonJS apps, ESM apps and TypeScript runners. It
 * was chosen over `module.registerHooks` plus a source transformer because it is there and works alike in
 * Node 22.15, 24 and 26 (synchronous hooks change how CommonJS is loaded before 24.11), because it rewrites
 * nothing, and because nothing is parsed: it adds 1 µs a `require`. A library that is ESM inside needs a
 * transformer; none of today's does.
 *
 * What was loaded before the tracer is found in the module cache. Patches wrap prototypes, so objects that
 * the app has made by then are served as well.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve, sep } from 'node:path'
import type { Instruments } from './instruments.ts'
import type { ModulePatch } from './registry.ts'

interface RequireMessage {
  readonly id: string
  readonly parentFilename?: string
  readonly result?: unknown
}

const patched = new WeakSet<object>()

/** Returns what ends the watch. */
export function watchModules(
  patches: readonly ModulePatch[],
  instruments: Instruments
): () => void {
  const byRequest = new Map<string, ModulePatch[]>()
  for (const patch of patches) {
    byRequest.set(patch.request, [...(byRequest.get(patch.request) ?? []), patch])
  }

  const onRequired = instruments.guard.wrap('module hook', (message: unknown) => {
    const { id, parentFilename, result } = message as RequireMessage
    const candidates = byRequest.get(id)
    if (candidates === undefined || parentFilename === undefined) return
    for (const patch of candidates) {
      const file = resolve(dirname(parentFilename), `${id}.js`)
      if (id.startsWith('.')) applyTo(file, result, patch, instruments)
      else applyPatch(result, patch, instruments)
    }
  })

  const required = tracingChannel('module.require')
  const subscribers = { end: onRequired }
  required.subscribe(subscribers as unknown as Parameters<typeof required.subscribe>[0])
  instruments.guard.wrap('module cache', () => patchLoaded(patches, instruments))()
  return () => {
    required.unsubscribe(subscribers as unknown as Parameters<typeof required.subscribe>[0])
  }
}

function patchLoaded(patches: readonly ModulePatch[], instruments: Instruments): void {
  const { cache } = createRequire(import.meta.url)
  for (const file of Object.keys(cache)) {
    for (const patch of patches) {
      if (file.endsWith(sep + patch.file.replaceAll('/', sep))) {
        applyTo(file, cache[file]?.exports, patch, instruments)
      }
    }
  }
}

function applyTo(
  file: string,
  exports: unknown,
  patch: ModulePatch,
  instruments: Instruments
): void {
  const inPackage = sep + patch.file.replaceAll('/', sep)
  if (!file.endsWith(inPackage)) return
  const { name, version } = manifestOf(file.slice(0, -inPackage.length))
  // By its own name, not its folder's: a package may be installed under an alias.
  if (name !== patch.packageName) return
  if (patch.majors.includes(Number.parseInt(version, 10))) applyPatch(exports, patch, instruments)
}

function applyPatch(exports: unknown, patch: ModulePatch, instruments: Instruments): void {
  const isObject =
    typeof exports === 'function' || (typeof exports === 'object' && exports !== null)
  if (!isObject || patched.has(exports as object)) return
  patched.add(exports as object)
  patch.apply(exports, instruments)
}

function manifestOf(folder: string): { name: string; version: string } {
  try {
    const manifest = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8'))
    return { name: String(manifest.name), version: String(manifest.version) }
  } catch {
    // Not a package's folder: some other module of the same file name.
    return { name: '', version: '' }
  }
}
