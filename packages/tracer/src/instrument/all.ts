/**
 * Starts the built-in instrumentations: waits for each one's triggers, loads its code at the first, and
 * keeps account of what came of it (`usages`), which the start-up line and the doctor show.
 */
import { channel } from 'node:diagnostics_channel'
import { requireOwn } from '../lib/own-file.ts'
import { CATALOGUE } from './catalogue.ts'
import { hookEsModules } from './esm-hook.ts'
import type { CallTimer, Instruments, SharedInstruments } from './instruments.ts'
import { watchModules } from './module-hook.ts'
import type { Entry, Instrumentation, LoadedModule, ModuleTarget, Usage } from './registry.ts'

export const LIBRARY_NAMES: readonly string[] = CATALOGUE.map(({ name }) => name)

export interface StartedInstruments {
  readonly usages: readonly Usage[]
  /** Ends the subscriptions; patched prototypes stay, and find nothing to do. */
  stop(): void
}

interface Started extends Usage {
  readonly instruments: Instruments
  code: Instrumentation | undefined
}

export function instrumentAll(
  shared: SharedInstruments,
  isEnabled: (name: string) => boolean = () => true
): StartedInstruments {
  const started = new Map<Entry, Started>()
  for (const entry of CATALOGUE) {
    if (!isEnabled(entry.name)) continue
    const usage = { entry, modules: [], unsupported: [], count: 0, code: undefined }
    // One object, so that counting is one increment.
    started.set(entry, Object.assign(usage, { instruments: { ...shared, usage } }))
  }
  const { guard } = shared
  const undo: (() => void)[] = []
  for (const one of started.values()) {
    undo.push(listen(one, shared))
    if (one.entry.globals !== undefined) undo.push(offer(one, one.entry.globals, shared))
  }

  function onModule(entry: Entry, target: ModuleTarget, exports: unknown, module: LoadedModule) {
    const one = started.get(entry)
    if (one === undefined) return
    one.modules.push(module)
    guard.wrap(`${entry.name} (${target.packageName} ${module.version})`, () => {
      codeOf(one).patches?.[target.patch]?.(exports, one.instruments, module)
    })()
  }

  undo.push(
    watchModules([...started.keys()], onModule, (entry, _target, _exports, module) => {
      started.get(entry)?.unsupported.push(module)
    })
  )
  guard.wrap('ES module hook', () => undo.push(hookEsModules()))()
  return {
    usages: [...started.values()],
    stop() {
      for (const end of undo) end()
    }
  }
}

function codeOf(one: Started): Instrumentation {
  one.code ??= requireOwn<{ default: Instrumentation }>(`instrument/${one.entry.code}`).default
  return one.code
}

/** Subscribes to the entry's channels; the handlers are loaded with the first message on any of them. */
function listen(one: Started, { guard, overhead }: SharedInstruments): () => void {
  let handlers: Readonly<Record<string, (message: unknown) => void>> | undefined
  const undo: (() => void)[] = []
  const place = one.entry.name
  for (const name of one.entry.channels ?? []) {
    const subscribed = channel(name)
    let handler: ((message: unknown) => void) | undefined
    const listener = (message: unknown) => {
      // A subscriber that throws would end the process: node rethrows on the next tick.
      try {
        if (handler === undefined) {
          handlers ??= codeOf(one).channels?.(one.instruments) ?? {}
          handler = handlers[name] ?? (() => {})
        }
        if (overhead?.isTimed) timed(overhead, handler, message)
        else handler(message)
      } catch (fault) {
        guard.report(`${place} (${name})`, fault)
      }
    }
    subscribed.subscribe(listener)
    undo.push(() => subscribed.unsubscribe(listener))
  }
  return () => {
    for (const end of undo) end()
  }
}

function timed(overhead: CallTimer, handle: (message: unknown) => void, message: unknown): void {
  overhead.time(() => handle(message))
}

/** Puts the entry's globals where the library finds them; the first reading loads the code that makes them. */
function offer(one: Started, names: readonly string[], { guard }: SharedInstruments): () => void {
  const known = globalThis as Record<string, unknown>
  const getters = new Map<string, () => unknown>()
  for (const name of names) {
    if (known[name] !== undefined) continue
    let made: Readonly<Record<string, unknown>> | undefined
    const make = guard.wrap(`${one.entry.name} (${name})`, () => {
      made = {}
      made = codeOf(one).globals?.(one.instruments)
    })
    const get = () => {
      if (made === undefined) make()
      return made?.[name]
    }
    getters.set(name, get)
    // What the app assigns takes its place, as if nothing had been there.
    const set = (value: unknown) => Object.defineProperty(known, name, { ...PLAIN, value })
    Object.defineProperty(known, name, { configurable: true, get, set })
  }
  return () => {
    for (const [name, get] of getters) {
      if (Object.getOwnPropertyDescriptor(known, name)?.get === get) delete known[name]
    }
  }
}

const PLAIN = { configurable: true, enumerable: true, writable: true }
