/**
 * What every store must do, whatever its engine: run by each adapter's test. `merge` makes the
 * engine do all merges it would do some day; answers must be the same before and after.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreBatch, TableRows } from '../model/store-batch.ts'
import type { EdgeDelta, SpanMetricsDelta } from './batch-encoder.ts'
import { createRowBinaryEncoder } from './clickhouse/encoder.ts'
import { keptTrace, spanIdOf, type TestTrace, traceIdOf } from './kept-trace.testkit.ts'
import type { MetricStore } from './metric-store.ts'
import type { SpanStore, TraceQuery } from './span-store.ts'

export interface StoreUnderTest {
  readonly store: SpanStore & MetricStore
  merge(): Promise<void>
  remove(): Promise<void>
}

const signal: AbortSignal = new AbortController().signal

/** 2026-11-23T09:00:00Z */
export const T0_MS = 1_795_424_400_000
export const T0 = BigInt(T0_MS) * 1_000_000n
const MS = 1_000_000n
const ALL_TIME = { fromUnixMs: 0, toUnixMs: T0_MS + 86_400_000 }
const ANY: TraceQuery = { ...ALL_TIME, attributes: [], limit: 200 }

let batches = 0

export function batchOf(tables: readonly TableRows[], token = `test:${batches++}`): StoreBatch {
  return { token, shard: 0, position: 0, part: 0, spanCount: 0, traceCount: 0, tables }
}

export function tracesBatch(traces: readonly TestTrace[], token?: string): StoreBatch {
  const encoder = createRowBinaryEncoder()
  for (const trace of traces) encoder.addTrace(keptTrace(trace))
  return batchOf(encoder.take(T0_MS), token)
}

function metricsBatch(
  spans: readonly Partial<SpanMetricsDelta>[],
  edges: readonly Partial<EdgeDelta>[]
): StoreBatch {
  const encoder = createRowBinaryEncoder()
  const measures = { calls: 1, errors: 0, durationSumNano: 1e6 }
  const durations = { indexes: [160], counts: [1] }
  for (const span of spans) {
    const names = { stepUnixMs: T0_MS, service: 'shop', operation: 'GET /', kind: 2 }
    encoder.addSpanMetrics({ ...names, ...measures, durations, ...span })
  }
  for (const edge of edges) {
    const client = { clientType: 'user', client: 'user' }
    const server = { serverType: 'service', server: 'shop', connectionType: 'http' }
    const names = { stepUnixMs: T0_MS, ...client, ...server, exampleTraceId: '' }
    encoder.addEdge({ ...names, ...measures, durations, ...edge })
  }
  return batchOf(encoder.take(T0_MS))
}

const HOSTILE = [
  `it's "quoted" \\ and \\' and \\\\'`,
  `'; DROP TABLE spans; --`,
  'nul \0 and newline \n and tab \t and \r and \u2028',
  '*/ /* {{}} %s ?',
  '日本語 🚀 é',
  '__proto__',
  ' leading and trailing ',
  'k=v=w'
]

export function storeContract(open: () => Promise<StoreUnderTest>): void {
  describe('empty', () => {
    const { get } = opened(open)
    it('answers every question with nothing', async () => {
      const { store } = get()
      expect(await store.findTraces(ANY, signal)).toEqual([])
      expect(await store.getTrace(traceIdOf(1), 10, signal)).toBeUndefined()
      expect(await store.findLongSpans([traceIdOf(1)], 0, signal)).toEqual(new Map())
      expect(await store.count(signal)).toEqual({ spans: 0, traces: 0 })
      expect(await store.services(ALL_TIME, 10_000, signal)).toEqual([])
      expect(await store.operations('shop', ALL_TIME, 10_000, signal)).toEqual([])
      expect(await store.edges(ALL_TIME, signal)).toEqual([])
    })
    it('takes a batch without rows', async () => {
      await get().store.write(batchOf([]), signal)
    })
  })
  describe('a trace', () => roundTrips(open))
  describe('batches', () => deduplicates(open))
  describe('late spans', () => addsLateSpans(open))
  describe('long spans', () => findsLongSpans(open))
  describe('pages', () => pagesTraces(open))
  describe('rollups', () => sumsRollups(open))
}

function findsLongSpans(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)

  it('are those of the traces asked for that took so long, in all parts of a trace', async () => {
    const { store } = get()
    const span = (id: number, durationNano: number, offsetNano = 0) => {
      return { spanId: spanIdOf(id), durationNano, offsetNano }
    }
    const day = 86_400e9
    const at = { startUnixNano: T0 }
    await store.write(
      tracesBatch([
        { ...at, traceId: traceIdOf(1), spans: [span(1, 9e9 - 1), span(2, 9e9)] },
        { ...at, traceId: traceIdOf(2), spans: [span(3, 5)] },
        { ...at, traceId: traceIdOf(3), spans: [span(4, 9e9)] }
      ]),
      signal
    )
    const late = { ...at, traceId: traceIdOf(1), late: true, spans: [span(5, day, day)] }
    await store.write(tracesBatch([late], 'late'), signal)

    const others = Array.from({ length: 1_997 }, (_, index) => traceIdOf(index + 4))
    const asked = [traceIdOf(1), traceIdOf(2), ...others]
    expect(await store.findLongSpans(asked, 9_000, signal)).toEqual(
      new Map([
        [traceIdOf(1), new Set([spanIdOf(2), spanIdOf(5)])],
        [traceIdOf(2), new Set()]
      ])
    )
    expect(await store.findLongSpans([], 9_000, signal)).toEqual(new Map())
  })
}

export function opened(open: () => Promise<StoreUnderTest>): { get: () => StoreUnderTest } {
  let under: StoreUnderTest | undefined
  beforeAll(async () => {
    under = await open()
  })
  afterAll(async () => {
    await under?.remove()
  })
  return { get: () => under! }
}

function roundTrips(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)

  it('comes back as it went in', async () => {
    const { store } = get()
    const traceId = traceIdOf(1)
    await store.write(
      tracesBatch([{ traceId, startUnixNano: T0 + 7n, spans: [FULL_SPAN] }]),
      signal
    )
    const trace = await store.getTrace(traceId, 10, signal)
    expect(trace).toEqual({
      traceId,
      truncated: false,
      resources: [{ 'service.name': 'shop', 'host.name': 'a' }],
      spans: [
        {
          spanId: spanIdOf(2),
          parentSpanId: spanIdOf(1),
          service: 'shop',
          name: 'POST /orders',
          kind: 'client',
          status: 'error',
          statusMessage: 'no stock',
          startTimeUnixNano: String(T0 + 1_000_007n),
          durationNano: '123456789',
          selfTimeNano: '23456789',
          scopeName: 'http',
          attributes: {
            text: 'words',
            yes: 'true',
            int: '-9007199254740993',
            double: '1.5',
            bytes: 'AQID',
            array: '["a",1.5,true]',
            map: '{"k":"v"}',
            empty: ''
          },
          events: [
            {
              timeUnixNano: String(T0 + 9n),
              name: 'exception',
              attributes: { 'exception.type': 'Error' }
            },
            { timeUnixNano: '0', name: '', attributes: {} }
          ],
          links: [
            { traceId: traceIdOf(77), spanId: spanIdOf(78), attributes: { why: 'follows' } },
            { traceId: '', spanId: '', attributes: {} }
          ],
          resource: 0
        }
      ]
    })
  })

  it('keeps hostile strings wherever they stand, and finds them', async () => {
    const { store } = get()
    const traces = HOSTILE.map((text, index) => hostileTrace(text, 100 + index))
    await store.write(tracesBatch(traces), signal)
    for (const [index, text] of HOSTILE.entries()) {
      const traceId = traceIdOf(100 + index)
      const trace = (await store.getTrace(traceId, 10, signal))!
      expect(trace.spans[0]).toMatchObject({
        service: text,
        name: text,
        statusMessage: text,
        scopeName: text,
        events: [{ name: text, attributes: JSON.parse(JSON.stringify({ [text]: text })) }]
      })
      expect(Object.entries(trace.spans[0]!.attributes)).toEqual([[text, text]])
      expect(Object.entries(trace.resources[0]!)).toContainEqual([`r${text}`, text])
      const found = (query: Partial<TraceQuery>) => idsOf(store, query)
      expect(await found({ service: text })).toEqual([traceId])
      expect(await found({ operation: text })).toEqual([traceId])
      expect(await found({ attributes: [{ key: text, value: text }] })).toEqual([traceId])
      expect(await found({ attributes: [{ key: `r${text}`, value: text }] })).toEqual([traceId])
    }
  })

  it('keeps text that is not UTF-8 readable', async () => {
    const { store } = get()
    const traceId = traceIdOf(200)
    const rawAttributes = { broken: new Uint8Array([97, 0xff, 0xfe, 98, 0xc3]) }
    const spans = [{ spanId: spanIdOf(1), rawAttributes }]
    await store.write(tracesBatch([{ traceId, startUnixNano: T0, spans }]), signal)
    const trace = await store.getTrace(traceId, 10, signal)
    expect(trace!.spans[0]!.attributes).toEqual({ broken: 'a\ufffd\ufffdb\ufffd' })
    const attributes = [{ key: 'broken', value: 'a\ufffd\ufffdb\ufffd' }]
    expect(await idsOf(store, { attributes })).toEqual([traceId])
  })

  it('takes any time that OTLP can carry', async () => {
    const { store } = get()
    const last = 0xffff_ffff_ffff_ffffn
    const spans = [{ spanId: spanIdOf(1), durationNano: 0 }]
    const extremes = [0n, last].map((startUnixNano, index) => ({
      traceId: traceIdOf(300 + index),
      startUnixNano,
      spans
    }))
    await store.write(tracesBatch(extremes), signal)
    const [first, second] = await Promise.all(
      extremes.map(({ traceId }) => store.getTrace(traceId, 10, signal))
    )
    expect(first!.spans[0]!.startTimeUnixNano).toBe('0')
    expect(second!.spans[0]!.startTimeUnixNano).toBe(String(last))
  })

  it('cuts a trace at the limit and says so', async () => {
    const { store } = get()
    const traceId = traceIdOf(400)
    const spans = Array.from({ length: 25 }, (_, index) => ({
      spanId: spanIdOf(index + 1),
      offsetNano: (25 - index) * 1000
    }))
    await store.write(tracesBatch([{ traceId, startUnixNano: T0, spans }]), signal)
    const cut = (await store.getTrace(traceId, 24, signal))!
    expect(cut.truncated).toBe(true)
    expect(cut.spans.map((span) => span.spanId)).toEqual(
      spans
        .slice(1)
        .map(({ spanId }) => spanId)
        .reverse()
    )
    const whole = (await store.getTrace(traceId, 25, signal))!
    expect(whole.truncated).toBe(false)
    expect(whole.spans).toHaveLength(25)
  })
}

const FULL_SPAN = {
  spanId: spanIdOf(2),
  parentSpanId: spanIdOf(1),
  name: 'POST /orders',
  kind: 3,
  status: 2,
  statusMessage: 'no stock',
  offsetNano: 1_000_000,
  durationNano: 123_456_789,
  selfTimeNano: 23_456_789,
  scope: 'http',
  resource: { 'host.name': 'a' },
  attributes: {
    text: 'words',
    yes: true,
    int: -9_007_199_254_740_993n,
    double: 1.5,
    bytes: new Uint8Array([1, 2, 3]),
    array: ['a', 1.5, true],
    map: { k: 'v' },
    empty: ''
  },
  events: [
    { time: T0 + 9n, name: 'exception', attributes: { 'exception.type': 'Error' } },
    { time: 0n, name: '' }
  ],
  links: [
    { traceId: traceIdOf(77), spanId: spanIdOf(78), attributes: { why: 'follows' } },
    { traceId: '', spanId: '' }
  ]
}

function hostileTrace(text: string, number: number): TestTrace {
  const attributes = Object.fromEntries([[text, text]])
  const span = {
    spanId: spanIdOf(number),
    service: text,
    name: text,
    statusMessage: text,
    scope: text,
    attributes,
    resource: { [`r${text}`]: text },
    events: [{ time: T0, name: text, attributes }]
  }
  return { traceId: traceIdOf(number), startUnixNano: T0, spans: [span] }
}

function deduplicates(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)
  const one = (number: number, token: string) =>
    tracesBatch(
      [{ traceId: traceIdOf(number), startUnixNano: T0, spans: [{ spanId: spanIdOf(1) }] }],
      token
    )

  it('with a token that was written change nothing', async () => {
    const { store } = get()
    const batch = one(1, 'a')
    await store.write(batch, signal)
    await store.write(batch, signal)
    await store.write(one(1, 'a'), signal)
    expect(await store.count(signal)).toEqual({ spans: 1, traces: 1 })
    const [summary] = await store.findTraces(ANY, signal)
    expect(summary!.spanCount).toBe(1)
  })

  it('with other tokens add up, whatever is in them', async () => {
    const { store } = get()
    await store.write(one(2, 'b'), signal)
    await store.write(one(3, `c'"\\; DROP TABLE spans`), signal)
    await store.write(one(3, `c'"\\; DROP TABLE spans`), signal)
    expect(await store.count(signal)).toEqual({ spans: 3, traces: 3 })
  })

  it('that were written in part go in to the end, once', async () => {
    const { store } = get()
    const whole = tracesBatch(
      [{ traceId: traceIdOf(9), startUnixNano: T0, spans: [{ spanId: spanIdOf(1) }] }],
      'd'
    )
    const spansOnly = whole.tables.filter(({ table }) => table === 'spans')
    await store.write({ ...whole, tables: spansOnly }, signal)
    expect(await store.getTrace(traceIdOf(9), 10, signal)).toBeUndefined()
    await store.write(whole, signal)
    expect(await store.count(signal)).toEqual({ spans: 4, traces: 4 })
    expect((await store.getTrace(traceIdOf(9), 10, signal))!.spans).toHaveLength(1)
  })

  it('with a table that the store does not know are refused', async () => {
    const tables = [{ table: 'others', rowCount: 1, bytes: new Uint8Array(1) }]
    await expect(get().store.write(batchOf(tables), signal)).rejects.toMatchObject({
      code: 'STORE_BATCH_INVALID'
    })
  })

  it('with bytes that are no rows are refused, and leave nothing', async () => {
    const { store } = get()
    const before = await store.count(signal)
    const tables = [{ table: 'spans', rowCount: 1, bytes: new Uint8Array(17) }]
    await expect(store.write(batchOf(tables), signal)).rejects.toMatchObject({
      code: 'STORE_BATCH_INVALID'
    })
    expect(await store.count(signal)).toEqual(before)
  })
}

function addsLateSpans(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)
  const traceId = traceIdOf(1)
  const first: TestTrace = {
    traceId,
    startUnixNano: T0,
    spans: [
      {
        spanId: spanIdOf(2),
        parentSpanId: spanIdOf(1),
        name: 'child',
        durationNano: 5_000_000
      }
    ]
  }
  /** The root, earlier than what was decided on; and one that ends hours later. */
  const late: readonly TestTrace[] = [
    {
      traceId,
      late: true,
      startUnixNano: T0 - 2_000_000n,
      spans: [
        { spanId: spanIdOf(1), service: 'front', name: 'root', status: 2, durationNano: 8_000_000 }
      ]
    },
    {
      traceId,
      late: true,
      startUnixNano: T0 + 7_200_000n * MS,
      spans: [
        {
          spanId: spanIdOf(3),
          parentSpanId: spanIdOf(1),
          service: 'jobs',
          name: 'hours later',
          attributes: { where: 'far' },
          durationNano: 1_000_000
        }
      ]
    }
  ]

  it('add to the summary, and the root among them names the trace', async () => {
    const { store, merge } = get()
    await store.write(tracesBatch([first]), signal)
    const [before] = await store.findTraces(ANY, signal)
    expect(before).toMatchObject({ rootOperation: 'child', spanCount: 1, errorCount: 0 })
    for (const part of late) await store.write(tracesBatch([part]), signal)
    const expected = {
      traceId,
      startTimeUnixNano: String(T0 - 2_000_000n),
      durationMs: 7_200_003,
      rootService: 'front',
      rootOperation: 'root',
      rootStatus: 'error',
      spanCount: 3,
      errorCount: 1,
      services: ['front', 'jobs', 'shop']
    }
    expect(await store.findTraces(ANY, signal)).toEqual([expected])
    await merge()
    expect(await store.findTraces(ANY, signal)).toEqual([expected])
    expect(await store.count(signal)).toEqual({ spans: 3, traces: 1 })
  })

  it('are in the trace, however far from its start', async () => {
    const trace = await get().store.getTrace(traceId, 10, signal)
    expect(trace!.spans.map((span) => span.name)).toEqual(['root', 'child', 'hours later'])
    expect(trace!.resources).toHaveLength(3)
    expect(trace!.spans.map((span) => trace!.resources[span.resource]!['service.name'])).toEqual([
      'front',
      'shop',
      'jobs'
    ])
  })

  it('list the trace at its earliest start, and only there', async () => {
    const { store } = get()
    const startMs = T0_MS - 2
    const at = { fromUnixMs: startMs, toUnixMs: startMs + 1 }
    expect(await idsOf(store, at)).toEqual([traceId])
    expect(await idsOf(store, { fromUnixMs: startMs + 1, toUnixMs: T0_MS + 86_400_000 })).toEqual(
      []
    )
  })

  it('are searched with the window in which their trace began', async () => {
    const { store } = get()
    const at = { fromUnixMs: T0_MS - 2, toUnixMs: T0_MS - 1 }
    const attributes = [{ key: 'where', value: 'far' }]
    expect(await idsOf(store, { ...at, attributes })).toEqual([traceId])
    expect(await idsOf(store, { ...at, minDurationMs: 7_200_003 })).toEqual([traceId])
    expect(await idsOf(store, { ...at, maxDurationMs: 7_200_002 })).toEqual([])
    expect(await idsOf(store, { ...at, service: 'jobs' })).toEqual([traceId])
    expect(await idsOf(store, { ...at, status: 'ok' })).toEqual([])
    expect(await idsOf(store, { ...at, status: 'error' })).toEqual([traceId])
  })
}

function pagesTraces(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)

  it('have neither gaps nor repeats among equal starts and late parts', async () => {
    const { store, merge } = get()
    const traces: TestTrace[] = []
    const lateParts: TestTrace[] = []
    for (let number = 1; number <= 120; number++) {
      // Seven traces share each start.
      const startUnixNano = T0 + BigInt(Math.floor(number / 7)) * MS
      const traceId = traceIdOf(number * 7919)
      traces.push({ traceId, startUnixNano, spans: [{ spanId: spanIdOf(1) }] })
      if (number % 3 === 0) {
        const later = startUnixNano + BigInt(number % 2) * 40n * MS
        const spans = [{ spanId: spanIdOf(2), parentSpanId: spanIdOf(1) }]
        lateParts.push({ traceId, startUnixNano: later, late: true, spans })
      }
    }
    await store.write(tracesBatch(traces), signal)
    await store.write(tracesBatch(lateParts), signal)
    const expected = traces
      .toSorted(
        (a, b) => Number(b.startUnixNano - a.startUnixNano) || (a.traceId < b.traceId ? 1 : -1)
      )
      .map(({ traceId }) => traceId)
    for (const limit of [1, 7, 50, 200]) expect(await readPages(store, limit)).toEqual(expected)
    await merge()
    expect(await readPages(store, 13)).toEqual(expected)
    for (const summary of await store.findTraces(ANY, signal)) {
      const hasLate = lateParts.some(({ traceId }) => traceId === summary.traceId)
      expect(summary.spanCount).toBe(hasLate ? 2 : 1)
    }
  })
}

async function readPages(store: SpanStore, limit: number): Promise<readonly string[]> {
  const ids: string[] = []
  let after: TraceQuery['after']
  for (;;) {
    const query = { ...ANY, limit, ...(after === undefined ? {} : { after }) }
    const page = await store.findTraces(query, signal)
    ids.push(...page.map(({ traceId }) => traceId))
    if (page.length < limit) return ids
    const last = page.at(-1)!
    after = { startUnixNano: last.startTimeUnixNano, traceId: last.traceId }
  }
}

export async function idsOf(store: SpanStore, query: Partial<TraceQuery>) {
  const found = await store.findTraces({ ...ANY, ...query }, signal)
  return found.map(({ traceId }) => traceId)
}

function sumsRollups(open: () => Promise<StoreUnderTest>): void {
  const { get } = opened(open)
  const window = { fromUnixMs: T0_MS, toUnixMs: T0_MS + 40_000 }

  it('add up over batches, before and after merges', async () => {
    const { store, merge } = get()
    const errors = 1
    const slow = { indexes: [200, 240], counts: [3, 1] }
    await store.write(metricsBatch([{}, { service: 'jobs', kind: 5 }], [{}]), signal)
    const second = { calls: 4, errors, durations: slow }
    const example = { ...second, exampleTraceId: traceIdOf(5) }
    await store.write(metricsBatch([second, { kind: 3, operation: 'GET' }], [example]), signal)
    const third = { stepUnixMs: T0_MS + 30_000 }
    const outside = { stepUnixMs: T0_MS + 40_000, calls: 100 }
    await store.write(metricsBatch([third, outside], [outside]), signal)
    for (const _ of ['before', 'after']) {
      const services = await store.services(window, 20_000, signal)
      expect(services).toMatchObject([
        { service: 'jobs', calls: 1, errors: 0 },
        { service: 'shop', calls: 6, errors: 1, firstUnixMs: T0_MS }
      ])
      expect(services[1]!.points).toMatchObject([
        { unixMs: T0_MS, calls: 5, errors: 1 },
        { unixMs: T0_MS + 20_000, calls: 1, errors: 0 }
      ])
      const operations = await store.operations('shop', window, 40_000, signal)
      expect(operations.map(({ operation, kind, calls }) => [operation, kind, calls])).toEqual([
        ['GET', 3, 1],
        ['GET /', 2, 6]
      ])
      const [edge, ...others] = await store.edges(window, signal)
      expect(others).toEqual([])
      expect(edge).toMatchObject({
        clientType: 'user',
        server: 'shop',
        calls: 5,
        errors: 1,
        exampleTraceId: traceIdOf(5),
        durations: { 160: 1, 200: 3, 240: 1 }
      })
      await merge()
    }
  })

  it('take any name', async () => {
    const { store } = get()
    for (const service of HOSTILE) {
      await store.write(metricsBatch([{ service, operation: service }], []), signal)
      const [row] = await store.operations(service, window, 10_000, signal)
      expect(row).toMatchObject({ service, operation: service, calls: 1 })
    }
  })
}
