/**
 * Instrumentations of OpenTelemetry (`@opentelemetry/instrumentation-*` and their like) on this tracer. They
 * patch CommonJS by themselves. For ES modules they need a load hook of `import-in-the-middle`, which one
 * has to put on the command line elsewhere; here the copy that the instrumentations have loaded themselves is
 * found and its hook put on, for their modules only, and only when somebody registers an instrumentation.
 *
 * Loaded when it is first called: most apps never do.
 */
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TracerProvider } from '@opentelemetry/api'
import type { Guard } from '../lib/guard.ts'
import { requireAny } from '../lib/own-file.ts'
import type { Notify } from '../notices.ts'
import { hasSoundHooks } from './esm-hook.ts'
import type { ForeignNames } from './foreign-names.ts'

/** What `@opentelemetry/instrumentation` asks of an instrumentation, as far as it is needed here. */
export interface ForeignInstrumentation {
  readonly instrumentationName: string
  setTracerProvider(provider: TracerProvider): void
  enable(): void
  disable(): void
}

export interface ForeignParts {
  readonly provider: TracerProvider
  readonly names: ForeignNames
  readonly guard: Guard
  readonly notify: Notify
}

/** Modules that some registered instrumentation patches. */
const wanted = new Set<string>()
const hookedCopies = new Set<string>()
const COPY = `${sep}import-in-the-middle${sep}index.js`

/** Returns what disables them again. Never throws. */
export function registerForeign(
  instrumentations: readonly ForeignInstrumentation[],
  { provider, names, guard, notify }: ForeignParts
): () => void {
  const registered: ForeignInstrumentation[] = []
  const each = (place: string, call: (one: ForeignInstrumentation) => void) =>
    guard.wrap(`an instrumentation's ${place}`, call)
  const register = each('registration', (one) => {
    // By default they are enabled when they are made.
    if (names.isDouble(one.instrumentationName)) {
      one.disable()
      return
    }
    one.setTracerProvider(provider)
    one.enable()
    registered.push(one)
  })
  for (const one of flattened(instrumentations)) register(one)
  guard.wrap('ES module hook of an instrumentation', () => {
    for (const one of registered) for (const name of modulesOf(one)) wanted.add(name)
    if (registered.length > 0) hookCopies(registered, notify)
  })()
  const disable = each('disable', (one) => one.disable())
  return () => {
    for (const one of registered) disable(one)
  }
}

/** `getNodeAutoInstrumentations()` gives a list, and lists of lists are common. */
function flattened(instrumentations: unknown): ForeignInstrumentation[] {
  const list = Array.isArray(instrumentations) ? instrumentations.flat(2) : [instrumentations]
  return list.filter((one) => typeof one === 'object' && one !== null)
}

function modulesOf(one: ForeignInstrumentation): string[] {
  const { _modules } = one as { _modules?: readonly { readonly name?: unknown }[] }
  if (!Array.isArray(_modules)) return []
  return _modules.map(({ name }) => name).filter((name) => typeof name === 'string')
}

function hookCopies(instrumentations: readonly ForeignInstrumentation[], notify: Notify): void {
  const folders = new Set([...loadedCopies(), ...resolvedCopies(instrumentations)])
  for (const folder of folders) {
    if (hookedCopies.has(folder)) continue
    hookedCopies.add(folder)
    hook(folder)
  }
  if (folders.size === 0) {
    const shown = instrumentations.map((one) => one.instrumentationName).join(', ')
    notify('INSTRUMENT_NO_ESM', shown)
  }
}

function hook(folder: string): void {
  const synchronous = join(folder, 'register-hooks.mjs')
  if (existsSync(synchronous) && hasSoundHooks(process.versions.node)) {
    const { register } = requireAny(synchronous) as { register(options: object): void }
    register({ shouldInclude: isWanted })
    return
  }
  // A loader thread: it sees every module, because a function cannot be handed to it.
  module.register(pathToFileURL(join(folder, 'hook.mjs')))
}

function isWanted(url: string, specifier: string): boolean {
  if (wanted.has(specifier) || wanted.has(url)) return true
  if (url.startsWith('node:')) return wanted.has(url.slice(5))
  const start = url.lastIndexOf('/node_modules/')
  if (start < 0) return false
  const [first = '', second = ''] = url.slice(start + '/node_modules/'.length).split('/')
  return wanted.has(first.startsWith('@') ? `${first}/${second}` : first)
}

/** An instrumentation that has been made has loaded its copy. */
function loadedCopies(): string[] {
  return Object.keys(requireAny.cache)
    .filter((file) => file.endsWith(COPY))
    .map(dirname)
}

/** Through the instrumentation's own dependencies, from where the app is. */
function resolvedCopies(instrumentations: readonly ForeignInstrumentation[]): string[] {
  const folders: string[] = []
  for (const from of [process.argv[1], join(process.cwd(), 'package.json')]) {
    if (from === undefined) continue
    for (const { instrumentationName } of instrumentations) {
      const file = resolved(from, [
        instrumentationName,
        '@opentelemetry/instrumentation',
        'import-in-the-middle'
      ])
      if (file !== undefined) folders.push(dirname(file))
    }
  }
  return folders
}

function resolved(from: string, path: readonly string[]): string | undefined {
  try {
    return path.reduce((parent, name) => createRequire(parent).resolve(name), from)
  } catch {
    // Named otherwise than its package, or not to be found from there.
    return undefined
  }
}
