/** The helper as Prisma 6 calls it with its native engine, which has to be downloaded: no engine takes part. */
import { SpanKind } from '@opentelemetry/api'
import { afterEach, expect, it } from 'vitest'
import { createGuard } from '../lib/guard.ts'
import { Propagator } from '../propagate/propagator.ts'
import { testTracer } from '../tracer.testkit.ts'
import { instrumentAll, type StartedInstruments } from './all.ts'
import { runWithSpan } from './calls.ts'
import prisma from './prisma.ts'

interface Helper {
  getTraceParent(): string
  dispatchEngineSpans(spans: readonly object[]): void
  createEngineSpan(event: object): void
}

const known = globalThis as { PRISMA_INSTRUMENTATION?: { helper: Helper } }

let started: StartedInstruments | undefined
afterEach(() => {
  started?.stop()
  delete known.PRISMA_INSTRUMENTATION
})

function parts() {
  const made = testTracer()
  const guard = createGuard(() => {})
  const instruments = {
    ...made,
    guard,
    processors: { isEmpty: true, started: () => {} },
    propagator: new Propagator({ extract: [], inject: [], behavior: 'continue' }),
    usage: { count: 0 }
  }
  return { ...made, instruments, guard }
}

function start(): void {
  started = instrumentAll(parts().instruments, (name) => name === 'prisma')
}

it('makes a span of each query of the native engine, under the operation', () => {
  const { tracer, instruments, ended, guard } = parts()
  const { PRISMA_INSTRUMENTATION } = prisma.globals!(instruments)
  const { helper } = PRISMA_INSTRUMENTATION as { helper: Helper }
  const operation = tracer.startSpan('Order.findMany')
  runWithSpan(instruments, operation as never, () => {
    const { traceId, spanId } = operation.spanContext()
    expect(helper.getTraceParent()).toBe(`00-${traceId}-${spanId}-01`)
    const times = { startTime: [1_795_426_799, 250_000_000], endTime: [1_795_426_799, 262_000_000] }
    helper.dispatchEngineSpans([
      { ...times, id: '1', parentId: null, name: 'prisma:engine:query', kind: 'internal' },
      {
        ...times,
        id: '2',
        parentId: '1',
        name: 'prisma:engine:db_query',
        kind: 'client',
        attributes: {
          'db.system': 'postgresql',
          'db.query.text': `SELECT "id" FROM "Order" WHERE "mail" = 'secret'`
        }
      }
    ])
  })
  helper.createEngineSpan({ span: true, spans: [] })
  expect(guard.faults).toBe(0)
  expect(ended.map(({ name }) => name)).toEqual(['SELECT Order'])
  const { kind, startTime, duration, attributes, parentSpanContext } = ended[0]!
  expect(parentSpanContext?.spanId).toBe(operation.spanContext().spanId)
  expect({ kind, startTime, duration, attributes }).toEqual({
    kind: SpanKind.CLIENT,
    startTime: [1_795_426_799, 250_000_000],
    duration: [0, 12_000_000],
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'Order',
      'db.query.text': 'SELECT "id" FROM "Order" WHERE "mail" = ?'
    }
  })
})

it('leaves alone what the app has put there, before or after, and takes its own back', () => {
  const own = { helper: {} as Helper }
  known.PRISMA_INSTRUMENTATION = own
  start()
  expect(known.PRISMA_INSTRUMENTATION).toBe(own)
  started!.stop()
  expect(known.PRISMA_INSTRUMENTATION).toBe(own)
  delete known.PRISMA_INSTRUMENTATION
  start()
  expect(known.PRISMA_INSTRUMENTATION).not.toBe(own)
  known.PRISMA_INSTRUMENTATION = own
  started!.stop()
  expect(known.PRISMA_INSTRUMENTATION).toBe(own)
  delete known.PRISMA_INSTRUMENTATION
  start()
  started!.stop()
  expect('PRISMA_INSTRUMENTATION' in globalThis).toBe(false)
})
