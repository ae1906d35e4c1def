/**
 * pino, winston and bunyan: the ids of the active span in each log line, as `trace_id`, `span_id` and
 * `trace_flags`, so that a line leads to its trace.
 *
 *   pino      text put between the time and the child's bindings, which are text as well: no object is
 *             made, no mixin called, and an app's own fields come later in the line
 *   winston   a copy of the record: the record may be an object of the app, that it logs again elsewhere
 *   bunyan    the record, which bunyan makes for each line
 *
 * A record that has a field of one of these names is left as it is: ids from two sources in one line would
 * point nowhere. Without an active span nothing is added.
 */
import { hexOfByte } from '../lib/hex.ts'
import type { SpanIdentity } from '../trace/span-identity.ts'
import { type AnyFunction, named } from './calls.ts'
import { type Instruments, parentIn } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

type Fields = Record<string | symbol, unknown>

const TRACE_ID = 'trace_id'
const SPAN_ID = 'span_id'
const TRACE_FLAGS = 'trace_flags'

/** On records that are changed in place: the fields are ours, and are written anew. */
const OURS = Symbol('spanloom.logFields')

const loggers: Instrumentation = {
  patches: {
    pino: (exports, instruments) => patchPino(exports as () => object, instruments),
    winston: (exports, instruments) => patchWinston(exports as Logger, instruments),
    bunyan: (exports, instruments) => patchBunyan(exports as Logger, instruments)
  }
}

export default loggers

interface Logger {
  readonly prototype: Record<string, AnyFunction>
}

function activeIdentity({ contexts }: Instruments): SpanIdentity | undefined {
  return parentIn(contexts.storage.getStore())
}

function hasOwnIds(record: object): boolean {
  return TRACE_ID in record || SPAN_ID in record || TRACE_FLAGS in record
}

function addIds(record: Fields, identity: SpanIdentity): void {
  record[TRACE_ID] = identity.traceId
  record[SPAN_ID] = identity.spanId
  record[TRACE_FLAGS] = hexOfByte(identity.traceFlags)
}

type AsJson = (this: Fields, record: unknown, message: unknown, level: number, t: string) => string

function patchPino(createLogger: () => object, instruments: Instruments): void {
  const prototype = Object.getPrototypeOf(createLogger()) as Record<symbol, AsJson>
  const symbolOf = (description: string) =>
    Object.getOwnPropertySymbols(prototype).find((symbol) => symbol.description === description)
  const asJsonKey = symbolOf('pino.asJson')
  if (asJsonKey === undefined) throw new Error('pino has no asJson')
  const asJson = prototype[asJsonKey]!
  const bindingsKey = new BindingsKey()

  /** @hot Once per line that is written. */
  prototype[asJsonKey] = named(asJson, function (this: Fields, record, message, level, time) {
    let start = time
    try {
      const identity = activeIdentity(instruments)
      if (identity !== undefined && typeof time === 'string') {
        const bindings = bindingsKey.read(this)
        const isOwn = typeof record === 'object' && record !== null && hasOwnIds(record)
        if (!isOwn && !bindings.includes('"trace_id":') && !bindings.includes('"span_id":')) {
          instruments.usage.count++
          start = time + textOf(identity)
        }
      }
    } catch (fault) {
      instruments.guard.report('pino asJson', fault)
    }
    return asJson.call(this, record, message, level, start)
  } satisfies AsJson)
}

function textOf(identity: SpanIdentity): string {
  const { traceId, spanId, traceFlags } = identity
  return `,"${TRACE_ID}":"${traceId}","${SPAN_ID}":"${spanId}","${TRACE_FLAGS}":"${hexOfByte(traceFlags)}"`
}

/** Pino keeps a child's bindings as text under a symbol, which every logger inherits from its root. */
class BindingsKey {
  #key: symbol | undefined

  read(logger: Fields): string {
    this.#key ??= findSymbol(logger, 'pino.chindings')
    const bindings = this.#key === undefined ? undefined : logger[this.#key]
    return typeof bindings === 'string' ? bindings : ''
  }
}

function findSymbol(object: object, description: string): symbol | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((each) => each.description === description)
    if (found !== undefined) return found
  }
  return undefined
}

function patchWinston({ prototype }: Logger, instruments: Instruments): void {
  const write = prototype.write!
  // On winston's own prototype, which inherits it from a stream that other libraries use.
  prototype.write = named(write, function (this: unknown, record: unknown, ...rest: unknown[]) {
    return write.call(this, withIds(record, instruments), ...rest)
  })
}

function withIds(record: unknown, instruments: Instruments): unknown {
  try {
    const identity = activeIdentity(instruments)
    if (identity === undefined || typeof record !== 'object' || record === null) return record
    const isOurs = (record as Fields)[OURS] === true
    if (!isOurs && hasOwnIds(record)) return record
    instruments.usage.count++
    if (Object.getPrototypeOf(record) === Object.prototype) {
      const copy = Object.assign({}, record) as Fields
      addIds(copy, identity)
      return copy
    }
    // An Error or another class's object: a copy would lose what it is.
    if (!isOurs) Object.defineProperty(record, OURS, { value: true })
    addIds(record as Fields, identity)
  } catch (fault) {
    instruments.guard.report('winston write', fault)
  }
  return record
}

function patchBunyan({ prototype }: Logger, instruments: Instruments): void {
  const emit = prototype._emit!
  prototype._emit = named(emit, function (this: unknown, record: Fields, ...rest: unknown[]) {
    try {
      const identity = activeIdentity(instruments)
      if (identity !== undefined && !hasOwnIds(record)) {
        instruments.usage.count++
        addIds(record, identity)
      }
    } catch (fault) {
      instruments.guard.report('bunyan emit', fault)
    }
    return emit.call(this, record, ...rest)
  })
}
