/** Runs an app of `apps/` with the built tracer to its end, and reads the spans of its steps. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink, type SinkSpan } from '../otlp-sink.ts'

export const CLIENT = 3
const register = new URL('../../dist/register.js', import.meta.url).href
const apps = fileURLToPath(new URL('./apps/', import.meta.url))

/** Before 22.18 node runs TypeScript only when told to, and says that this is an experiment. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const NODE_ARGS =
  major > 22 || minor >= 18 ? ['--no-deprecation'] : ['--no-warnings', '--experimental-strip-types']

export interface Told {
  readonly spans: readonly SinkSpan[]
  /** Client spans whose parent is the step, in the order they began. */
  under(step: string): SinkSpan[]
}

/** The app must end with code 0; what has not arrived by then is not coming. */
export async function runToEnd(file: string, args: readonly string[]): Promise<Told> {
  const sink = await new OtlpSink().listen()
  const app = new App(resolve(apps, file), {
    nodeArgs: [...NODE_ARGS, '--import', register],
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
  return {
    spans,
    under(step) {
      const parent = spans.find(({ name }) => name === step)
      if (parent === undefined) throw new Error(`No step ${step}`)
      return spans
        .filter(({ kind, parentSpanId }) => kind === CLIENT && parentSpanId === parent.spanId)
        .sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
    }
  }
}

export const names = (spans: readonly SinkSpan[]) => spans.map(({ name }) => name)
