import { bucketOf, DURATION_BOUNDS_MS, DURATION_BUCKET_COUNT, logIndexOf } from '@spanloom/otlp'
import { describe, expect, it } from 'vitest'
import { stepOf } from '../../src/derive/rollup-table.ts'
import { SelfTimes } from '../../src/derive/self-time.ts'
import type { StitchedTrace } from '../../src/model/stitched-trace.ts'
import { KIND, randomOf, type TestSpan } from './payloads.ts'
import { span, Timeline, UNIX_MS } from './timeline.ts'

const { CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER } = KIND

describe('buckets', () => {
  it('take their upper bound in, and nothing above it', () => {
    for (const [bucket, bound] of DURATION_BOUNDS_MS.entries()) {
      expect(bucketOf(bound * 1e6)).toBe(bucket)
      expect(bucketOf(bound * 1e6 + 1)).toBe(bucket + 1)
    }
    expect(bucketOf(0)).toBe(0)
    expect(bucketOf(2 ** 64)).toBe(DURATION_BUCKET_COUNT - 1)
  })

  it('on the log scale are exact at powers of two and just below', () => {
    for (let power = 1; power < 64; power++) {
      expect(logIndexOf(2 ** power)).toBe(8 * power)
      if (power < 53) expect(logIndexOf(2 ** power - 1)).toBe(Math.floor(8 * exactLog2(power)))
    }
    expect([-1, 0, 0.5, 1].map(logIndexOf)).toEqual([0, 0, 0, 0])
  })

  it('on the log scale agree with the logarithm', () => {
    const random = randomOf(3)
    for (let round = 0; round < 10_000; round++) {
      const nano = Math.floor(2 ** (random() * 50))
      expect(logIndexOf(nano)).toBe(Math.floor(8 * Math.log2(nano) + 1e-12))
    }
  })
})

/** log2(2^power - 1), which is below `power` though a double may not show it. */
function exactLog2(power: number): number {
  return power === 1 ? 0 : Math.min(Math.log2(2 ** power - 1), power - 1e-9)
}

describe('rollup steps', () => {
  const received = 1_800_000_005_000
  it.each([
    ['the end', received - 12_000, received - 15_000],
    ['the earliest end believed', received - 900_000, received - 905_000],
    ['an end too long ago', received - 900_001, received - 5_000],
    ['the latest end believed', received + 60_000, received + 55_000],
    ['an end in the future', received + 60_001, received - 5_000],
    ['no number', Number.NaN, received - 5_000]
  ])('are those of %s', (_name, end, step) => {
    expect(stepOf(end, received, 10_000)).toBe(step)
  })
})

describe('span metrics', () => {
  it('count on arrival, by service, name, kind and status', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { durationMs: 2 }),
      span(1, 2, 1, { durationMs: 2.000001 }),
      span(1, 3, 1, { status: 2, durationMs: 20_000 }),
      span(1, 4, 1, { kind: CLIENT }),
      span(1, 5, 1, { service: 'b' })
    )
    const { spans, createdUnixMs } = line.snapshot()

    expect(createdUnixMs).toBe(UNIX_MS)
    expect(spans.service).toEqual(['a', 'a', 'a', 'b'])
    expect([...spans.kind]).toEqual([SERVER, SERVER, CLIENT, SERVER])
    expect([...spans.status]).toEqual([0, 2, 0, 0])
    expect([...spans.calls]).toEqual([2, 1, 1, 1])
    expect(spans.duration.sumsMs[0]).toBeCloseTo(4.000001, 9)
    expect([...spans.duration.buckets.slice(0, 3)]).toEqual([1, 1, 0])
    expect(spans.duration.buckets[2 * DURATION_BUCKET_COUNT - 1]).toBe(1)
  })

  it('count a span that ends before it starts as taking no time', () => {
    const { spans } = new Timeline().payload(0, span(1, 1, 0, { durationMs: -5 })).snapshot()

    expect(spans.duration.sumsMs[0]).toBe(0)
    expect(spans.duration.buckets[0]).toBe(1)
  })

  it('flow into rollups at the tick, in the step of the end, errors apart', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { durationMs: 8 }),
      span(1, 2, 1, { durationMs: 8, status: 2 }),
      span(1, 3, 1, { startUnixMs: UNIX_MS - 20_000 })
    )
    expect(line.written.spanMetrics).toEqual([])

    expect(line.tick(100).written.spanMetrics).toEqual([
      {
        stepUnixMs: UNIX_MS,
        service: 'a',
        operation: 'op',
        kind: SERVER,
        calls: 2,
        errors: 1,
        durationSumNano: 16e6,
        durations: { indexes: [logIndexOf(8e6)], counts: [2] }
      },
      expect.objectContaining({ stepUnixMs: UNIX_MS - 20_000, calls: 1, errors: 0 })
    ])
    expect(line.tick(200).written.spanMetrics).toHaveLength(2)
  })

  it('beyond seriesMax go to the overflow series: totals stay, and so does the service', () => {
    const names = ['one', 'two', 'three', 'four', 'one', 'four']
    const spans = names.map((name, id) => span(1, id + 1, id === 0 ? 0 : 1, { name }))
    const line = new Timeline({ seriesMax: 2 }).payload(0, ...spans).tick(100)
    const { spans: columns } = line.snapshot()

    expect(columns.overflow).toBe(2)
    expect(columns.spanName.slice(0, 2)).toEqual(['one', 'two'])
    expect([...columns.calls]).toEqual([2, 1, 3])
    expect(line.stats).toMatchObject({ seriesOverflow: 3, spansAccepted: 6 })
    expect(
      line.written.spanMetrics.map(({ service, operation, calls }) => [service, operation, calls])
    ).toEqual([
      ['a', 'one', 2],
      ['a', 'two', 1],
      ['a', '(overflow)', 3]
    ])
  })
})

type Row = [client: string, server: string, connection: string, calls: number, failed: number]

function edgesOf(...spans: TestSpan[]): Row[] {
  return edgeRows(new Timeline().payload(0, ...spans).tick(30_000))
}

function edgeRows(line: Timeline): Row[] {
  return line.written.edges.map((edge) => [
    `${edge.clientType}:${edge.client}`,
    `${edge.serverType}:${edge.server}`,
    edge.connectionType,
    edge.calls,
    edge.errors
  ])
}

const caller = span(1, 1, 0, { kind: INTERNAL })
const call = (facts: Partial<TestSpan>) => span(1, 2, 1, { kind: CLIENT, ...facts })

describe('edges', () => {
  it('go to every child in fan-out', () => {
    expect(
      edgesOf(
        caller,
        call({}),
        span(1, 3, 2, { service: 'b' }),
        span(1, 4, 2, { service: 'c' }),
        span(1, 5, 2, { service: 'b' })
      )
    ).toEqual([
      ['service:a', 'service:b', 'http', 2, 0],
      ['service:a', 'service:c', 'http', 1, 0]
    ])
  })

  it('over a queue join producer and consumer', () => {
    const attributes = { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' }
    const sent = call({ kind: PRODUCER, attributes })
    const read = span(1, 3, 2, { kind: CONSUMER, service: 'b' })

    expect(edgesOf(caller, sent, read)).toEqual([
      ['service:a', 'service:b', 'messaging_system', 1, 0]
    ])
    expect(edgesOf(caller, sent)).toEqual([
      ['service:a', 'messaging:mails', 'messaging_system', 1, 0]
    ])
    expect(edgesOf(caller, call({ attributes: { 'messaging.system': 'kafka' } }))).toEqual([
      ['service:a', 'messaging:kafka', 'messaging_system', 1, 0]
    ])
  })

  it.each([
    [{ 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'db.name': 'old' }, 'shop'],
    [{ 'db.system': 'mysql', 'db.name': 'old' }, 'old'],
    [{ 'db.system.name': 'redis', 'db.system': 'old', 'server.address': 'cache' }, 'redis'],
    [{ 'db.system': 'mongodb' }, 'mongodb']
  ])('name a database %o', (attributes, name) => {
    expect(edgesOf(caller, call({ attributes }))).toEqual([
      ['service:a', `database:${name}`, 'database', 1, 0]
    ])
  })

  it.each([
    [{ 'peer.service': 'billing', 'server.address': 'x' }, 'billing'],
    [{ 'server.address': 'api.example.com', 'server.port': 8443 }, 'api.example.com:8443'],
    [{ 'server.address': 'api.example.com' }, 'api.example.com'],
    [{ 'server.port': 8443 }, 'unknown'],
    [{}, 'unknown']
  ])('name a peer that sent no spans %o', (attributes, name) => {
    expect(edgesOf(caller, call({ attributes }))).toEqual([
      ['service:a', `external:${name}`, 'virtual_node', 1, 0]
    ])
  })

  it('prefer the server span to what the caller says', () => {
    const attributes = { 'peer.service': 'wrong' }
    expect(edgesOf(caller, call({ attributes }), span(1, 3, 2, { service: 'b' }))).toEqual([
      ['service:a', 'service:b', 'http', 1, 0]
    ])
  })

  it('begin at the user where a server span is the root', () => {
    expect(edgesOf(span(1, 1, 0))).toEqual([['user:user', 'service:a', 'virtual_node', 1, 0]])
    expect(edgesOf(span(1, 1, 0, { kind: CONSUMER }))).toEqual([])
  })

  it('begin at the unknown where the parent never came, and say so', () => {
    const line = new Timeline().payload(0, span(1, 2, 1)).tick(30_000)

    expect(edgeRows(line)).toEqual([['external:unknown', 'service:a', 'virtual_node', 1, 0]])
    expect(line.stats!.edgesExpired).toBe(1)
  })

  it('do not begin at the unknown in a late entry, whose parent was counted before', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).tick(2000)
    line.payload(3000, span(1, 3, 1, { service: 'b' })).tick(5000)

    expect(edgeRows(line)).toEqual([['user:user', 'service:a', 'virtual_node', 1, 0]])
    expect(line.stats!.edgesExpired).toBe(1)
  })

  it.each([
    ['the caller', 2, 0],
    ['the called', 0, 2],
    ['both', 2, 2]
  ])('failed once when %s says so', (_name, client, server) => {
    const spans = [
      caller,
      call({ status: client }),
      span(1, 3, 2, { service: 'b', status: server })
    ]
    expect(edgesOf(...spans)).toEqual([['service:a', 'service:b', 'http', 1, 1]])
  })

  it('measure both sides; one where only one is known', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { durationMs: 300 }),
      call({ durationMs: 200 }),
      span(1, 3, 2, { service: 'b', durationMs: 100 }),
      span(1, 4, 1, { kind: CLIENT, durationMs: 50, attributes: { 'db.system': 'redis' } })
    )
    const { edges } = line.tick(2000).snapshot()

    expect(edges.server).toEqual(['a', 'b', 'redis'])
    expect(edges.connectionType).toEqual(['virtual_node', '', 'database'])
    expect([...edges.clientDuration.sumsMs]).toEqual([0, 200, 50])
    expect([...edges.serverDuration.sumsMs]).toEqual([300, 100, 50])
    expect(line.written.edges.map((edge) => edge.durationSumNano)).toEqual([300e6, 100e6, 50e6])
  })

  it('carry a kept trace as an example', () => {
    const line = new Timeline().payload(0, span(5, 1, 0), span(6, 1, 0)).tick(2000)

    expect(line.written.edges).toMatchObject([{ calls: 2, exampleTraceId: '5'.padStart(32, '0') }])
  })

  it('beyond edgesMax go to the overflow edge', () => {
    const spans = ['b', 'c', 'd'].map((service, id) => span(id + 1, 1, 0, { service }))
    const { edges } = new Timeline({ edgesMax: 1 })
      .payload(0, ...spans)
      .tick(2000)
      .snapshot()

    expect(edges.overflow).toBe(1)
    expect([...edges.calls]).toEqual([1, 2])
  })
})

describe('self time', () => {
  /** To the microsecond: starts are good to a quarter of one. */
  const selfOf = (...spans: TestSpan[]) =>
    new Timeline()
      .payload(0, ...spans)
      .tick(30_000)
      .written.traces[0]!.spans.map(({ selfTimeNano }) => Math.round(selfTimeNano / 1e3) / 1e3)

  it('is what no child covers; overlaps count once, and nothing outside of the parent', () => {
    const child = (id: number, startMs: number, durationMs: number) =>
      span(1, id, 1, { startUnixMs: UNIX_MS + startMs, durationMs, kind: INTERNAL })

    expect(selfOf(span(1, 1, 0, { durationMs: 100 }))).toEqual([100])
    expect(selfOf(span(1, 1, 0, { durationMs: 100 }), child(2, 10, 20), child(3, 20, 20))).toEqual([
      70, 20, 20
    ])
    expect(selfOf(span(1, 1, 0, { durationMs: 100 }), child(2, -50, 60), child(3, 90, 60))).toEqual(
      [80, 60, 60]
    )
    expect(selfOf(span(1, 1, 0, { durationMs: 100 }), child(2, 200, 10))).toEqual([100, 10])
  })

  it('agrees with counting every nanosecond', () => {
    const random = randomOf(11)
    for (let round = 0; round < 300; round++) {
      const count = 1 + Math.floor(random() * 12)
      const trace = {
        count,
        parent: Int32Array.from({ length: count }, () => Math.floor(random() * (count + 2)) - 2),
        startUnixMs: Float64Array.from({ length: count }, () => Math.floor(random() * 40) / 1e6),
        durationNano: Float64Array.from({ length: count }, () => Math.floor(random() * 30))
      } as unknown as StitchedTrace
      const times = new SelfTimes()
      times.compute(trace)
      expect([...times.nano.slice(0, count)]).toEqual(slowSelfTimes(trace))
    }
  })
})

function slowSelfTimes({ count, parent, startUnixMs, durationNano }: StitchedTrace): number[] {
  const start = [...startUnixMs].map((ms) => Math.round(ms * 1e6))
  return Array.from({ length: count }, (_, span) => {
    let self = 0
    for (let at = start[span]!; at < start[span]! + durationNano[span]!; at++) {
      const covered = start.some(
        (from, child) => parent[child] === span && from <= at && at < from + durationNano[child]!
      )
      if (!covered) self++
    }
    return self
  })
}
