/** Runs an app of `apps/` with the built tracer to its end, and reads the spans of its steps. */
import { resolve } from 'node:path'
import { expect } from 'vitest'
import { App, REGISTER } from '../child.ts'
import { OtlpSink, type SinkSpan } from '../otlp-sink.ts'
import { LIBRARY_APPS } from './available.ts'

export const CLIENT = 3

/** Before 22.18 node runs TypeScript only when told to, and says that this is an experiment. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const NODE_ARGS =
  major > 22 || minor >= 18 ? ['--no-deprecation'] : ['--no-warnings', '--experimental-strip-types']

export interface Told {
  readonly spans: readonly SinkSpan[]
  /** Client spans whose parent is the step, in the order they began. */
  under(step: string): SinkSpan[]
  /** Their statements. */
  texts(step: string): unknown[]
  named(name: string): SinkSpan[]
  /** The app's own span of this name, the first where it has several. */
  step(name: string): SinkSpan
}

/** The app must end with code 0; what has not arrived by then is not coming. */
export async function runToEnd(file: string, args: readonly string[]): Promise<Told> {
  const sink = await new OtlpSink().listen()
  const app = new App(resolve(LIBRARY_APPS, file), {
    nodeArgs: [...NODE_ARGS, '--import', REGISTER],
    args,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
  })
  try {
    const { code } = await app.ended()
    expect(`${code} ${app.stderr}`).toBe('0 ')
    await sink.span('end of scenario')
  } finally {
    await app.stop()
    await sink.close()
  }
  const { spans } = sink
  const named = (name: string) => sink.named(name)
  const step = (name: string) => {
    const [found] = named(name)
    if (found === undefined) throw new Error(`No step ${name}`)
    return found
  }
  const under = (wanted: string) => {
    const { spanId } = step(wanted)
    return spans
      .filter(({ kind, parentSpanId }) => kind === CLIENT && parentSpanId === spanId)
      .sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
  }
  const texts = (wanted: string) =>
    under(wanted).map(({ attributes }) => attributes['db.query.text'])
  return { spans, named, step, under, texts }
}

/** No value of the app's, of which each has `secret` in it, is in what the spans say. */
export function expectNoValue({ spans }: Told): void {
  const shown = spans.map((span) => [span.attributes, span.status])
  expect(JSON.stringify(shown)).not.toContain('secret')
}

export const names = (spans: readonly SinkSpan[]) => spans.map(({ name }) => name)
