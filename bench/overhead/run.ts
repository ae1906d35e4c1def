/**
 * One run: an app is started under a tracer, warmed up, measured under load, and its spans are awaited.
 *
 *   start ── warm-up ──┬── load ──┬── spans arrived? ── stop
 *                      └── CPU ───┴── CPU, RSS
 *
 * CPU is the process's, all threads. What a tracer still holds when the load begins it held from the
 * warm-up, and leaves as much behind at the end: batches that wait cancel out.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { App, type AppName, type Helpers, type Start } from './processes.ts'
import type { Modules, TracerName } from './tracers.ts'

/**
 * A closed loop of so many connections keeps the app busy without a queue. Not more, because OpenTelemetry's
 * batch processor drops what comes while it exports: with 32 it lost every sixth span of the Express app,
 * and what is dropped costs nothing.
 */
export const CONNECTIONS = 8

/**
 * A number of requests and no duration, so that each tracer has the same work to do: memory grows with it.
 * The warm-up is as long as V8 needs: of the Express app the first 8,000 requests take 91 µs each, the second
 * 69, the third 56, and from the fourth on 47.
 */
export const REQUESTS: Readonly<Record<AppName, { warmUp: number; load: number }>> = {
  nodeHttp: { warmUp: 40_000, load: 40_000 },
  express: { warmUp: 28_000, load: 16_000 },
  fastify: { warmUp: 40_000, load: 40_000 },
  expressFetchPg: { warmUp: 9_000, load: 6_000 }
}

export interface Run {
  readonly start: Start
  readonly cpuMicros: number
  readonly rssMb: number
  readonly p99Ms: number
  readonly requestsPerSecond: number
  readonly serverSpans: number
  readonly spans: number
}

/** Spans for each request: dd-trace sends every 2 s, OpenTelemetry keeps less than a batch for 5 s. */
const ARRIVAL_WAIT_MS = 7_000
const ARRIVED = 0.98
const ARRIVED_MIN = 0.9

/** The fetch and the query. */
const CLIENT_SPANS: Readonly<Record<AppName, number>> = {
  nodeHttp: 0,
  express: 0,
  fastify: 0,
  expressFetchPg: 2
}

/** `share` of the measured requests: less than 1 for a quick look. The warm-up is never cut. */
export async function runOnce(
  helpers: Helpers,
  name: AppName,
  tracer: TracerName,
  modules: Modules,
  share: number
): Promise<Run> {
  await helpers.resetSpans()
  const app = await App.start(helpers, name, tracer, modules)
  try {
    const order = { url: app.url, connections: CONNECTIONS }
    const { warmUp, load } = REQUESTS[name]
    const requests = Math.round(load * share)
    await helpers.load({ ...order, requests: warmUp })
    const before = await app.usage()
    const result = await helpers.load({ ...order, requests })
    const after = await app.usage()
    const spans = await arrived(helpers, name, tracer, warmUp + requests)
    return {
      start: app.start,
      cpuMicros: (after.cpuMicros - before.cpuMicros) / requests,
      rssMb: after.rssBytes / 2 ** 20,
      p99Ms: result.p99Ms,
      requestsPerSecond: result.requestsPerSecond,
      ...spans
    }
  } finally {
    await app.stop()
  }
}

/** @throws when a tracer did not deliver: its price would be that of doing nothing. */
async function arrived(
  helpers: Helpers,
  app: AppName,
  tracer: TracerName,
  requests: number
): Promise<{ serverSpans: number; spans: number }> {
  const deadline = performance.now() + (tracer === 'bare' ? 0 : ARRIVAL_WAIT_MS)
  for (;;) {
    const counts = await helpers.spansArrived()
    const serverSpans = counts.serverSpans / requests
    const clients = CLIENT_SPANS[app]
    const clientShare = clients === 0 ? 1 : counts.clientSpans / requests / clients
    const share = Math.min(serverSpans, clientShare)
    if (share < ARRIVED && performance.now() < deadline) {
      await sleep(50)
      continue
    }
    if (tracer === 'bare' ? counts.spans > 0 : share < ARRIVED_MIN) {
      throw new Error(
        `${app} under ${tracer}: ${requests} requests, but ${counts.serverSpans} server spans and ` +
          `${counts.clientSpans} client spans arrived. Such a price would mean nothing.`
      )
    }
    return { serverSpans, spans: counts.spans / requests }
  }
}
