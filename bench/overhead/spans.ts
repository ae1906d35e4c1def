/**
 * The price of a span alone: made through the API, given ten attributes, ended and encoded to OTLP bytes.
 * Own and OpenTelemetry's SDK are in a process each, so that neither spoils the other's inline caches, and
 * take turns. Counted is the CPU time of the thread that makes the spans, in which garbage is collected too
 * (--single-threaded-gc): what a sending thread does is in the apps' CPU, not here.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Child, type Helpers } from './processes.ts'
import { SPANS_A_ROUND } from './spans/workload.ts'

export interface SpanMicros {
  readonly own: readonly number[]
  readonly otel: readonly number[]
}

const EXEC_ARGV = ['--single-threaded-gc']
const ARRIVAL_WAIT_MS = 20_000

export async function measureSpans(helpers: Helpers, rounds: number): Promise<SpanMicros> {
  const env = { OTEL_SERVICE_NAME: 'bench', OTEL_EXPORTER_OTLP_ENDPOINT: helpers.sinkUrl }
  await helpers.resetSpans()
  const own = new Child('spans/own.ts', EXEC_ARGV, env)
  const otel = new Child('spans/otel.ts', EXEC_ARGV, env)
  const micros = { own: [] as number[], otel: [] as number[] }
  try {
    await Promise.all([own.answer(), otel.answer()])
    for (let round = 0; round < rounds; round++) {
      micros.own.push(await own.ask<number>('go'))
      micros.otel.push(await otel.ask<number>('go'))
    }
    await arrived(helpers, rounds * SPANS_A_ROUND)
    return micros
  } finally {
    own.kill()
    otel.kill()
  }
}

/** @throws when our spans are not what was encoded. The other side checks its own (spans/otel.ts). */
async function arrived(helpers: Helpers, spansMin: number): Promise<void> {
  const deadline = performance.now() + ARRIVAL_WAIT_MS
  for (;;) {
    const { spans } = await helpers.spansArrived()
    if (spans >= spansMin) return
    if (performance.now() > deadline) {
      throw new Error(`Of ${spansMin} spans and more that were priced only ${spans} arrived.`)
    }
    await sleep(50)
  }
}
