import { describe, expect, it } from 'vitest'
import { renderMetrics } from '../../src/export/prometheus.ts'
import type { MetricsSnapshot } from '../../src/model/metrics-snapshot.ts'
import type { ObservedFamily } from '../../src/model/observed-metric.ts'
import { defaultOptions, ShardRun } from '../shard/harness.ts'
import { encodeStats, KIND } from '../shard/payloads.ts'
import { span, Timeline, UNIX_MS } from '../shard/timeline.ts'
import { makeTraffic } from '../shard/traffic.ts'
import { type ReadFamily, readOpenMetrics, type Sample } from './open-metrics.ts'

const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0'

function read(snapshots: readonly MetricsSnapshot[]): Map<string, ReadFamily> {
  const { body } = renderMetrics(snapshots, OPEN_METRICS, [])
  return new Map(readOpenMetrics(body).map((family) => [family.name, family]))
}

function samplesOf(families: Map<string, ReadFamily>, name: string): Sample[] {
  return [...families.values()].flatMap(({ samples }) => samples.filter((one) => one.name === name))
}

const HOSTILE = 'a"b\\c\nd\re{}=,# EOF é \u{1f980} '

describe('metrics that apps send', () => {
  it('are families of their own, in both formats', () => {
    const sample = { labels: { service_name: HOSTILE }, value: 7, startUnixMs: UNIX_MS }
    const histogram = { count: 6, sum: 2.5, bounds: [0.1, 1], bucketCounts: [1, 2, 3] }
    const observed: ObservedFamily[] = [
      { name: 'c_seconds', unit: 'seconds', type: 'counter', help: 'C.', samples: [sample] },
      { name: 'g', type: 'gauge', help: 'G.', samples: [{ ...sample, startUnixMs: 0 }] },
      { name: 'h', type: 'histogram', help: 'H.', samples: [{ ...sample, histogram }] }
    ]
    const { body } = renderMetrics([], OPEN_METRICS, [], observed)
    const families = new Map(readOpenMetrics(body).map((family) => [family.name, family]))
    const values = (name: string) => samplesOf(families, name).map(({ value }) => value)

    expect(samplesOf(families, 'c_seconds_total')).toMatchObject([{ value: 7 }])
    expect(samplesOf(families, 'c_seconds_total')[0]!.labels.service_name).toBe(HOSTILE)
    expect(values('c_seconds_created')).toEqual([UNIX_MS / 1000])
    expect([values('g'), values('h_bucket')]).toEqual([[7], [1, 3, 6]])
    expect([values('h_sum'), values('h_count')]).toEqual([[2.5], [6]])
    const text = renderMetrics([], undefined, [], observed).body
    expect(text).toContain('# TYPE c_seconds_total counter')
    expect(text).toContain('h_bucket{service_name="a')
  })
})

describe('spans that are here before their process says that it counted them', () => {
  it('have no exemplar yet', () => {
    const line = new Timeline()
      .payload(0, span(1, 1, 0, { counted: true, durationMs: 3 }))
      .tick(2500)
    const exemplars = () =>
      samplesOf(read([line.snapshot()]), 'traces_span_metrics_duration_milliseconds_bucket').filter(
        ({ exemplar }) => exemplar
      )

    expect(exemplars()).toEqual([])
    const counted = {
      ...{ name: 'op', kind: KIND.SERVER, startUnixMs: UNIX_MS, durationsNano: [3e6] }
    }
    line.metrics(3000, encodeStats('a', 'p', 1, [counted]))
    expect(exemplars()).toHaveLength(1)
  })
})

describe('the page', () => {
  it.each([1, 2, 3])('is OpenMetrics, whatever was counted (seed %i)', (seed) => {
    const run = new ShardRun(defaultOptions({ seriesMax: 20, edgesMax: 8 }))
    run.start()
    const snapshot = run.accept(makeTraffic(seed).records).snapshot()
    const families = read([snapshot])

    const calls = samplesOf(families, 'traces_span_metrics_calls_total')
    expect(calls.reduce((sum, { value }) => sum + value, 0)).toBe(run.stats!.spansAccepted)
    expect(calls).toContainEqual(
      expect.objectContaining({ labels: { otel_metric_overflow: 'true' } })
    )
    const buckets = samplesOf(families, 'traces_span_metrics_duration_milliseconds_bucket')
    expect(buckets.filter(({ exemplar }) => exemplar).length).toBeGreaterThan(10)
  })

  it('is empty and valid when nothing was counted', () => {
    const families = read([new Timeline().snapshot()])

    expect([...families.values()].flatMap(({ samples }) => samples)).toEqual([])
    expect(read([]).size).toBe(6)
  })

  it('has the names, labels and buckets that dashboards ask for', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { name: 'GET /', durationMs: 150, status: 2 }),
      span(1, 2, 1, { kind: KIND.CLIENT, durationMs: 100 }),
      span(1, 3, 2, { service: 'b', durationMs: 99 })
    )
    const families = read([line.tick(2000).snapshot()])

    expect(samplesOf(families, 'traces_span_metrics_calls_total')[0]).toEqual({
      name: 'traces_span_metrics_calls_total',
      labels: {
        service_name: 'a',
        span_name: 'GET /',
        span_kind: 'SPAN_KIND_SERVER',
        status_code: 'STATUS_CODE_ERROR'
      },
      value: 1
    })
    const buckets = samplesOf(families, 'traces_span_metrics_duration_milliseconds_bucket')
    expect(buckets.slice(0, 17).map(({ labels, value }) => [Number(labels.le), value])).toEqual([
      ...[2, 4, 6, 8, 10, 50, 100].map((bound) => [bound, 0]),
      ...[200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000].map((bound) => [bound, 1]),
      [Number.NaN, 1]
    ])
    expect(buckets[7]!.exemplar).toEqual({
      labels: { trace_id: '1'.padStart(32, '0'), span_id: '1'.padStart(16, '0') },
      value: 150,
      timestamp: UNIX_MS / 1000 + 0.15
    })
    expect(samplesOf(families, 'traces_span_metrics_calls_created')[0]!.value).toBe(UNIX_MS / 1000)
  })

  it('has the service graph under Tempo’s names, in seconds', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { durationMs: 150 }),
      span(1, 2, 1, { kind: KIND.CLIENT, durationMs: 101 }),
      span(1, 3, 2, { service: 'b', durationMs: 100, status: 2 })
    )
    const families = read([line.tick(2000).snapshot()])
    const between = { client: 'a', server: 'b', connection_type: '' }
    const user = { client: 'user', server: 'a', connection_type: 'virtual_node' }

    expect(samplesOf(families, 'traces_service_graph_request_total')).toEqual([
      { name: 'traces_service_graph_request_total', labels: user, value: 1 },
      { name: 'traces_service_graph_request_total', labels: between, value: 1 }
    ])
    const failed = samplesOf(families, 'traces_service_graph_request_failed_total')
    expect(failed.map(({ value }) => value)).toEqual([0, 1])
    const bucketsOf = (side: string) =>
      samplesOf(families, `traces_service_graph_request_${side}_seconds_bucket`)
        .filter(({ labels }) => labels.client === 'a')
        .map(({ labels, value }) => `${labels.le}:${value}`)
        .join(' ')
    const rest = '0.2:1 0.4:1 0.8:1 1.6:1 3.2:1 6.4:1 12.8:1 +Inf:1'
    expect(bucketsOf('server')).toBe(`0.1:1 ${rest}`)
    expect(bucketsOf('client')).toBe(`0.1:0 ${rest}`)
    const sums = samplesOf(families, 'traces_service_graph_request_client_seconds_sum')
    // Nobody knows how long the user waited.
    expect(sums.map(({ labels, value }) => [labels.client, value])).toEqual([['a', 0.101]])
  })

  it('adds up shards; the same series is there once', () => {
    const { records } = makeTraffic(5)
    const snapshots = [0, 1, 2].map((shard) => {
      const run = new ShardRun(defaultOptions(), shard, 3)
      run.start()
      return run.accept(records).snapshot()
    })
    const one = new ShardRun()
    one.start()
    const whole = one.accept(records).snapshot()

    const values = (snapshots: readonly MetricsSnapshot[]) =>
      [...read(snapshots).values()]
        .flatMap(({ samples }) => samples)
        .filter(({ name }) => !name.endsWith('_sum') && !name.endsWith('_created'))
        .map(({ name, labels, value }) => JSON.stringify([name, labels, value]))
        .sort()
    expect(values(snapshots)).toEqual(values([whole]))
  })

  it('survives hostile names', () => {
    const line = new Timeline().payload(0, span(1, 1, 0, { name: HOSTILE, service: HOSTILE }))
    const families = read([line.snapshot()])
    const { labels } = samplesOf(families, 'traces_span_metrics_calls_total')[0]!

    expect(labels.span_name).toBe(HOSTILE)
    expect(labels.service_name).toBe(HOSTILE)
  })

  it('writes halves of surrogate pairs as the replacement character', () => {
    const samples = [{ labels: { reason: 'a\ud83d"b' }, value: 1 }]
    const metric = { name: 'spanloom_x', type: 'gauge', help: 'x \udead', samples } as const
    const { body } = renderMetrics([], OPEN_METRICS, [metric])

    expect(Buffer.from(body).toString()).toBe(body)
    expect(readOpenMetrics(body).at(-1)!.samples[0]!.labels.reason).toBe('a\ufffd"b')
  })

  it('ends with what the collector says about itself', () => {
    const samples = [
      { labels: { code: 'X' }, value: 2 },
      { labels: {}, value: 0.5 }
    ]
    const help = 'What "it" did,\nin \\two lines.'
    const metric = { name: 'spanloom_writes', type: 'counter', help, samples } as const

    expect(renderMetrics([], OPEN_METRICS, [metric]).body).toContain(
      '# HELP spanloom_writes What \\"it\\" did,\\nin \\\\two lines.\n' +
        '# TYPE spanloom_writes counter\n' +
        'spanloom_writes_total{code="X"} 2\nspanloom_writes_total 0.5\n# EOF\n'
    )
    expect(renderMetrics([], undefined, [metric]).body).toContain(
      '# HELP spanloom_writes_total What "it" did,\\nin \\\\two lines.\n' +
        '# TYPE spanloom_writes_total counter\n' +
        'spanloom_writes_total{code="X"} 2\nspanloom_writes_total 0.5\n'
    )
  })
})

describe('the format', () => {
  const PROMETHEUS =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
    'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,' +
    'text/plain;version=0.0.4;q=0.3,*/*;q=0.2'

  it.each([
    [PROMETHEUS, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/html, */*;q=0.1', 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'application/openmetrics-text;q=0.1, text/plain;q=0.9',
      'text/plain; version=0.0.4; charset=utf-8'
    ],
    ['application/openmetrics-text;q=0', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text;version=0.0.1', 'text/plain; version=0.0.4; charset=utf-8']
  ])('for Accept %s', (accept, contentType) => {
    expect(renderMetrics([], accept, []).contentType).toBe(contentType)
  })

  it('of Prometheus text has counters by their samples’ names, and nothing that it does not know', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).tick(2000)
    const { body } = renderMetrics([line.snapshot()], undefined, [])

    expect(body).toContain('# TYPE traces_span_metrics_calls_total counter\n')
    expect(body).toContain('le="2"} 0\n')
    expect(body).not.toMatch(/_created|# UNIT|# EOF| # \{/)
    for (const sample of body.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
      expect(sample).toMatch(/^[a-z_]+(\{[^}]*\})? \S+$/)
    }
  })
})
