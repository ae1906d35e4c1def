/**
 * Prisma 6 and 7: an internal span for each operation (`Order.findMany`) and each `$transaction`. Prisma looks
 * for a helper on `globalThis` whenever it does something that could be traced, and hands it the work:
 * nothing is patched, and it is the same wherever the client was generated to or bundled into.
 *
 *   query compiler   (7, and 6 with `engineType = "client"`) the queries come from the driver's own
 *                    instrumentation (pg). `db_query` is a span where no instrumentation of a driver makes one,
 *                    not for PostgreSQL, nor where `mariadb` is traced
 *   native engine    (6) queries past any driver, and tells of its spans after each operation: those that
 *                    are queries (`db_query`) become CLIENT spans with the times that it gives
 *
 * Its other steps (serialize, compile, connect) are run without a span: they say how Prisma is made.
 *
 * Limits: PostgreSQL through an adapter without `pg` (Neon, Prisma Postgres over HTTP) has no query spans. A
 * query of the native engine says neither server nor outcome, and before 6.1 there is none. What has been put
 * there by the app stays.
 */
import { type Context, type HrTime, SpanKind, TraceFlags } from '@opentelemetry/api'
import {
  DB_COLLECTION_NAME,
  DB_OPERATION_NAME,
  DB_QUERY_TEXT,
  DB_SYSTEM_NAME
} from '@spanloom/otlp'
import { isSuppressed } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { endWithResult, errorTypeOf, runWithSpan } from './calls.ts'
import {
  type Endpoint,
  endWithPromise,
  type Failure,
  type Statement,
  startDatabaseSpan
} from './db-span.ts'
import {
  announce,
  BUILT_IN_SCOPE,
  type Instruments,
  parentIn,
  startExitSpan
} from './instruments.ts'
import type { Instrumentation } from './registry.ts'
import { summarize } from './sql.ts'
import { tracedDrivers } from './traced-drivers.ts'

interface SpanOptions {
  readonly name: string
  readonly attributes?: Readonly<Record<string, unknown>>
}

type Work = (span?: AnySpan, context?: Context) => unknown

/** What Prisma expects of its tracing helper. */
interface TracingHelper {
  isEnabled(): boolean
  getTraceParent(context?: Context): string
  dispatchEngineSpans(spans: readonly EngineSpan[]): void
  createEngineSpan(): void
  getActiveContext(): Context | undefined
  runInChildSpan(options: string | SpanOptions, work: Work): unknown
}

/** What the native engine has timed. */
interface EngineSpan {
  readonly name: string
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly attributes?: Readonly<Record<string, unknown>>
}

const NO_PARENT = '00-10-10-00'
const ENGINE_QUERY = 'prisma:engine:db_query'

const prisma: Instrumentation = {
  // One that the app has made for a major of its own (`V7_PRISMA_INSTRUMENTATION`) is what Prisma takes then.
  globals: (instruments) => ({ PRISMA_INSTRUMENTATION: { helper: helperOf(instruments) } }),
  patches: {
    // The module only tells which version is there.
    runtime: () => {}
  }
}

export default prisma

function helperOf(instruments: Instruments): TracingHelper {
  const { contexts, guard } = instruments
  return {
    isEnabled: () => true,
    getTraceParent: (context) => {
      const parent = parentIn(context ?? contexts.storage.getStore())
      if (parent === undefined) return NO_PARENT
      const { traceId, spanId, traceFlags } = parent.spanContext()
      return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`
    },
    dispatchEngineSpans: guard.wrap('prisma engine', (spans) => {
      for (const span of spans) if (span.name === ENGINE_QUERY) makeQuery(span, instruments)
    }),
    // Before 6.1, with the preview feature `tracing`: spans of the engine without what they are below.
    createEngineSpan: () => {},
    getActiveContext: () => contexts.active(),
    runInChildSpan: (options, work) => runInChildSpan(options, work, instruments)
  }
}

/** @hot Some four times for an operation. */
function runInChildSpan(
  options: string | SpanOptions,
  work: Work,
  instruments: Instruments
): unknown {
  const name = typeof options === 'string' ? options : options.name
  const attributes = typeof options === 'string' ? undefined : options.attributes
  if (name === 'db_query') {
    const system = String(attributes?.['db.system.name'])
    return tracedDrivers.has(system) ? work() : query(attributes, work, instruments)
  }
  const isOperation = name === 'operation'
  if (!isOperation && name !== 'transaction') return work()
  const span = begin(isOperation, attributes, instruments)
  if (span === undefined) return work()
  return endWithResult(span, () => runWithSpan(instruments, span, work))
}

function begin(
  isOperation: boolean,
  attributes: SpanOptions['attributes'],
  instruments: Instruments
): AnySpan | undefined {
  try {
    const { name, method, model } = attributes ?? {}
    const spanName = isOperation ? String(name ?? method) : '$transaction'
    const span = startExitSpan(instruments, spanName, SpanKind.INTERNAL)
    if (span === undefined) return undefined
    if (span instanceof RecordingSpan) {
      if (typeof method === 'string') span.put(DB_OPERATION_NAME, method)
      if (typeof model === 'string') span.put(DB_COLLECTION_NAME, model)
    }
    announce(instruments, span)
    return span
  } catch (fault) {
    instruments.guard.report('prisma', fault)
    return undefined
  }
}

function query(
  attributes: SpanOptions['attributes'],
  work: Work,
  instruments: Instruments
): unknown {
  const system = String(attributes?.['db.system.name'] ?? '')
  const sql = attributes?.['db.query.text']
  if (typeof sql !== 'string' || system === 'postgresql') return work()
  const endpoint: Endpoint = { system, namespace: undefined, host: undefined, port: undefined }
  const span = startDatabaseSpan(instruments, endpoint, statementOf(sql, system))
  return span === undefined ? work() : endWithPromise(work(), span, readFailure)
}

function statementOf(sql: string, system: string): Statement {
  const { text, operation, table } = summarize(sql, system === 'mysql' ? 'mysql' : 'standard')
  const verb = operation ?? system
  const spanName = table === undefined ? verb : `${verb} ${table}`
  return { spanName, operation, collection: table, text }
}

/** A query that is over, under the operation that is active. */
function makeQuery({ attributes, startTime, endTime }: EngineSpan, instruments: Instruments): void {
  const context = instruments.contexts.storage.getStore()
  const sql = attributes?.['db.query.text']
  if (isSuppressed(context) || typeof sql !== 'string') return
  const system = String(attributes?.['db.system.name'] ?? attributes?.['db.system'] ?? 'other_sql')
  const { spanName, operation, collection, text } = statementOf(sql, system)
  const { starter, usage } = instruments
  usage.count++
  const start = starter.startTime({ startTime })
  const parent = parentIn(context)
  const span = starter.start(BUILT_IN_SCOPE, spanName, SpanKind.CLIENT, parent, start)
  if (span instanceof RecordingSpan) {
    span.put(DB_SYSTEM_NAME, system)
    if (operation !== undefined) span.put(DB_OPERATION_NAME, operation)
    if (collection !== undefined) span.put(DB_COLLECTION_NAME, collection)
    if (text !== undefined) span.put(DB_QUERY_TEXT, text)
  }
  announce(instruments, span)
  span.end(endTime)
}

function readFailure(error: unknown): Failure {
  return { statusCode: undefined, type: errorTypeOf(error), message: undefined }
}
