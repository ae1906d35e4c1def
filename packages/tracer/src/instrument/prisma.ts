/**
 * Prisma 7: an internal span for each operation (`Order.findMany`) and each `$transaction`; the queries below
 * come from the driver's own instrumentation (pg). Prisma looks for a helper on `globalThis` whenever it
 * does something that could be traced, and hands it the work: nothing is patched.
 *
 * Its other steps (serialize, compile, connect) are run without a span: they say how Prisma is made.
 * `db_query` is a span where no instrumentation of a driver makes one: not for PostgreSQL, nor with `mariadb`.
 *
 * Limits: PostgreSQL through an adapter without `pg` (Neon, Prisma Postgres over HTTP) has no query spans.
 * What has been put there by the app stays.
 */
import { type Context, SpanKind, TraceFlags } from '@opentelemetry/api'
import { DB_COLLECTION_NAME, DB_OPERATION_NAME } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { endWithResult, errorTypeOf, runWithSpan } from './calls.ts'
import { type Endpoint, endWithPromise, type Failure, startDatabaseSpan } from './db-span.ts'
import { announce, type Instruments, parentIn, startExitSpan } from './instruments.ts'
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
  dispatchEngineSpans(): void
  getActiveContext(): Context | undefined
  runInChildSpan(options: string | SpanOptions, work: Work): unknown
}

/** Prisma's contract has a number of its own, which is the client's major. */
const GLOBALS = ['V7_PRISMA_INSTRUMENTATION', 'PRISMA_INSTRUMENTATION']
const NO_PARENT = '00-10-10-00'

const prisma: Instrumentation = {
  patches: {
    runtime: (_exports, instruments) => {
      const known = globalThis as Record<string, { helper?: unknown } | undefined>
      if (GLOBALS.some((name) => known[name]?.helper !== undefined)) return
      known[GLOBALS[0]!] = { helper: helperOf(instruments) }
    }
  }
}

export default prisma

function helperOf(instruments: Instruments): TracingHelper {
  const { contexts } = instruments
  return {
    isEnabled: () => true,
    getTraceParent: (context) => {
      const parent = parentIn(context ?? contexts.storage.getStore())
      if (parent === undefined) return NO_PARENT
      const { traceId, spanId, traceFlags } = parent.spanContext()
      return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`
    },
    // The engine is part of the process since 7: it has no spans of its own.
    dispatchEngineSpans: () => {},
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
  const { text, operation, table } = summarize(sql, system === 'mysql' ? 'mysql' : 'standard')
  const verb = operation ?? system
  const spanName = table === undefined ? verb : `${verb} ${table}`
  const endpoint: Endpoint = { system, namespace: undefined, host: undefined, port: undefined }
  const statement = { spanName, operation, collection: table, text }
  const span = startDatabaseSpan(instruments, endpoint, statement)
  return span === undefined ? work() : endWithPromise(work(), span, readFailure)
}

function readFailure(error: unknown): Failure {
  return { statusCode: undefined, type: errorTypeOf(error), message: undefined }
}
