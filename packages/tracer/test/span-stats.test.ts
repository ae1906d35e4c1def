/** Spans counted in real processes: what is not sampled, what is sent all the same, and the last ones. */
import { afterEach, describe, expect, it } from 'vitest'
import { App, REGISTER } from './child.ts'
import { OtlpSink } from './otlp-sink.ts'

const METRIC = 'traces.span.sdk.metrics.duration'

let app: App | undefined
let sink: OtlpSink | undefined

afterEach(async () => {
  await app?.stop()
  await sink?.close()
  app = undefined
  sink = undefined
})

/** An app that has made `spans` spans of its own and then ended by a signal. */
async function run(spans: number, env: Record<string, string>): Promise<OtlpSink> {
  sink = await new OtlpSink().listen()
  app = new App('spans.mjs', {
    nodeArgs: ['--import', REGISTER],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env }
  })
  await app.line(/ready/)
  app.tell({ spans, flush: false })
  await app.line(new RegExp(`made ${spans}\\b`))
  app.process.kill('SIGTERM')
  await app.ended()
  return sink
}

function statsOf({ metrics }: OtlpSink) {
  return metrics.filter(({ name }) => name === METRIC)
}

const marked = ({ spans }: OtlpSink) =>
  spans.map(({ resource }) => resource['spanloom.spans.counted'] === true)

describe('a process that leaves spans out', () => {
  it('counts all of them, and what is sent says so', async () => {
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.2' }
    const heard = await run(1_000, env)
    const stats = statsOf(heard)

    expect(stats.map(({ metadata }) => metadata['spanloom.sequence'])).toEqual([1])
    expect(stats[0]!.points.map(({ attributes, count }) => [attributes, count])).toEqual([
      [
        {
          'span.name': 'work',
          'span.kind': 'SPAN_KIND_INTERNAL',
          'status.code': 'STATUS_CODE_UNSET'
        },
        1_000
      ]
    ])
    expect(stats[0]!.resource['service.instance.id']).toBeTypeOf('string')
    expect(heard.spans.length).toBeGreaterThan(100)
    expect(heard.spans.length).toBeLessThan(300)
    expect(new Set(marked(heard))).toEqual(new Set([true]))
  })

  it.each([
    ['SPANLOOM_SPAN_STATS', 'never'],
    ['OTEL_METRICS_EXPORTER', 'none']
  ])('counts none with %s=%s', async (name, value) => {
    const heard = await run(100, { OTEL_TRACES_SAMPLER: 'traceidratio', [name]: value })

    expect(statsOf(heard)).toEqual([])
    expect(marked(heard)).toEqual(new Array(100).fill(false))
  })
})

describe('a process that sends every span', () => {
  it('counts none, unless it is told to', async () => {
    const heard = await run(10, {})
    expect([statsOf(heard), marked(heard)]).toEqual([[], new Array(10).fill(false)])
    await heard.close()

    const told = await run(10, { SPANLOOM_SPAN_STATS: 'always' })
    expect(statsOf(told)[0]!.points.map(({ count }) => count)).toEqual([10])
    expect(marked(told)).toEqual(new Array(10).fill(true))
  })
})
