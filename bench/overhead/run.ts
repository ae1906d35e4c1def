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
 * On two idle cores that is one second for the bare app and four for the dearest tracer.
 */
export const REQUESTS: Readonly<Record<AppName, { warmUp: number; load: number }>> = {
  nodeHttp: { warmUp: 25_000, load: 40_000 },
  express: { warmUp: 12_000, load: 16_000 },
  fastify: { warmUp: 25_000, load: 40_000 },
  expressFetchPg: { warmUp: 6_000, load: 8_000 }
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

/** `share` of the requests: less than 1 for a quick look. */
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
    const warmUp = Math.round(REQUESTS[name].warmUp * share)
    const requests = Math.round(REQUESTS[name].load * share)
    await helpers.load({ ...order, requests: warmUp })
    const before = await app.usage()
    const load = await helpers.load({ ...order, requests })
    const after = await app.usage()
    const spans = await arrived(helpers, name, tracer, warmUp + requests)
    return {
      start: app.start,
      cpuMicros: (after.cpuMicros - before.cpuMicros) / requests,
      rssMb: after.rssBytes / 2 ** 20,
      p99Ms: load.p99Ms,
      requestsPerSecond: load.requestsPerSecond,
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
