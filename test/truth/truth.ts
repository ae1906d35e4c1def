/**
 * `npm run -s truth -- --json`: are the numbers true?
 *
 *   shopper ─→ shop (counts by itself) ─ spans ─→ lossy proxy ─→ collector (killed once, restarted)
 *                      │                                              │
 *                      └── expected ───────── compared ─────── counted ┘
 *
 * Runs a fixed number of requests, with failures, slow ones and payloads that are delivered twice,
 * kills the collector with SIGKILL in the middle and starts it again on its data, and then compares
 * what the shop counted with the API and with /metrics: per service and per edge. It also opens
 * every exemplar that /metrics ever showed, measures freshness, and what an idle collector costs.
 *
 * Prints one JSON object (with --json) or a table; the rows that differ go to stderr. Exit code 1
 * when any number is not what it should be.
 *
 *   --requests N (2400)  --per-second R (70)  --seed S (1)  --json  --keep (the data directory)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Shop, startShop } from '@spanloom/example-shop'
import { type CollectorProcess, freePort, startCollector } from '../lib/collector-process.ts'
import { waitFor } from '../lib/wait-for.ts'
import { createExemplarAudit, type ExemplarAudit, scrapeMetrics } from './exemplars.ts'
import { measureFreshness, percentile } from './freshness.ts'
import { type LossyProxy, startLossyProxy } from './lossy-proxy.ts'
import { treeRssMB } from './process-tree.ts'
import { apiRows, differences, expectedRows, metricRows, type Rows, sum } from './rows.ts'
import { seededRandom } from './seeded-random.ts'

/** The promise. */
const FRESHNESS_MS_MAX = 2_500
const FRESHNESS_REQUESTS = 40
const FRESHNESS_EVERY_MS = 250
const IDLE_MS = 10_000
/** Long enough that the tracers meet a collector that is not there. */
const DOWN_MS = 1_500
const SCRAPE_EVERY_MS = 2_000
/** Replays come 5 s after their first delivery; a tracer's backoff may add some seconds. */
const SETTLE_MS_MAX = 90_000
/** Numbers that are right must stay right: what is counted twice may come late. */
const STAYS_RIGHT_MS = 3_000
/** Room for the clocks' steps at the window's start. */
const WINDOW_BEFORE_MS = 60_000
const SHOP_LINES_SHOWN_MAX = 20

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2400' },
    'per-second': { type: 'string', default: '70' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false }
  }
})
const requests = Number(values.requests)
const perSecond = Number(values['per-second'])
const seed = Number(values.seed)

/** All that has to be ended when anything fails. */
interface Parts {
  readonly dataDir: string
  readonly fromUnixMs: number
  collector: CollectorProcess
  proxy: LossyProxy
  shop: Shop
  restartMs: number
}

const startedMs = performance.now()
const wrong: string[] = []
const shopLines: string[] = []
const parts: Partial<Parts> = { dataDir: mkdtempSync(join(tmpdir(), 'spanloom-truth-')) }

try {
  const report = await run(parts)
  if (values.json) console.log(JSON.stringify(report))
  else console.table(report)
} catch (error) {
  wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  if (error instanceof Error && error.cause !== undefined) wrong.push(String(error.cause))
} finally {
  await parts.shop?.stop()
  await parts.proxy?.close()
  await parts.collector?.stop().catch((error: Error) => wrong.push(error.message))
  if (values.keep) console.error(`The data is in ${parts.dataDir}.`)
  else rmSync(parts.dataDir!, { recursive: true, force: true })
}
for (const sentence of wrong) console.error(sentence)
if (wrong.length > 0) console.error(shopLines.slice(-SHOP_LINES_SHOWN_MAX).join('\n'))
process.exit(wrong.length === 0 ? 0 : 1)

async function run(started: Partial<Parts>): Promise<Record<string, number | null>> {
  const idleRssMB = await start(started)
  const all = started as Parts
  const audit = createExemplarAudit(all.collector.uiUrl, all.collector.query)
  say(`shop is open; ${requests} requests, ${perSecond} a second`)
  await load(all, audit)
  all.proxy.faulty = false
  say('load is over; waiting for the numbers')
  await settle(all)
  say('measuring freshness')
  const lateMs = await freshness(all)
  const freshnessMsP95 = Math.round(percentile(lateMs, 0.95))
  if (!(freshnessMsP95 <= FRESHNESS_MS_MAX)) {
    wrong.push(`freshness: p95 is ${freshnessMsP95} ms, at most ${FRESHNESS_MS_MAX} are promised`)
  }
  say('waiting for the numbers, and for them to stay')
  await settle(all)
  await wait(STAYS_RIGHT_MS)
  return await compare(all, audit, {
    freshnessMsP95,
    freshnessMsP50: Math.round(percentile(lateMs, 0.5)),
    idleRssMB: idleRssMB ?? null,
    restartMs: Math.round(all.restartMs)
  })
}

/** Returns what the collector takes while it has nothing to do. */
async function start(started: Partial<Parts>): Promise<number | undefined> {
  const [otlpPort, uiPort] = [await freePort(), await freePort()]
  const ports = { dataDir: parts.dataDir!, otlpPort, uiPort }
  const collector = await startCollector({ ...ports, onDeath })
  Object.assign(started, { collector, fromUnixMs: Date.now() - WINDOW_BEFORE_MS })
  const readyMs = performance.now()
  const proxy = await startLossyProxy(collector.otlpUrl, seededRandom(seed))
  Object.assign(started, { proxy })
  // Nothing is traced until the first request, so the collector is idle while the shop opens.
  const shop = await startShop({
    otlpUrl: proxy.url,
    // Spans are compared one by one with what was made: a busy machine makes some middleware slow.
    env: { SPANLOOM_MIDDLEWARE_SPANS: 'false' },
    basePort: 0,
    // The tracers say that the network is bad, and it is. Shown when something is wrong.
    onLine: (name, line) => shopLines.push(`[${name}] ${line}`),
    onDeath: (name, how) => wrong.push(`the shop's ${name} ended: ${how}`)
  })
  Object.assign(started, { shop })
  await wait(Math.max(0, readyMs + IDLE_MS - performance.now()))
  return treeRssMB(collector.pid)
}

/** The requests, with a SIGKILL of the collector when half of them are served. */
async function load(all: Parts, audit: ExemplarAudit): Promise<void> {
  const shopper = all.shop.shopper({ requests, perSecond, seed })
  const ended = new AbortController()
  const scraping = scrapeUntil(ended.signal, audit)
  await waitFor(
    'half of the requests',
    (requests / perSecond) * 1_000 + SETTLE_MS_MAX,
    async () => {
      const { storefront } = await all.shop.counts()
      return storefront.calls >= requests / 2 || undefined
    }
  )
  await restartCollector(all)
  const report = await shopper.done
  ended.abort()
  await scraping
  if (report.requests !== requests) wrong.push(`the shopper sent ${report.requests} requests`)
  wrong.push(...report.unexpected)
}

async function restartCollector(all: Parts): Promise<void> {
  const { uiUrl, otlpUrl } = all.collector
  await all.collector.kill()
  say('the collector was killed')
  await wait(DOWN_MS)
  const beforeMs = performance.now()
  all.collector = await startCollector({
    dataDir: all.dataDir,
    otlpPort: Number(new URL(otlpUrl).port),
    uiPort: Number(new URL(uiUrl).port),
    onDeath
  })
  all.restartMs = performance.now() - beforeMs
  say(`the collector is back after ${Math.round(all.restartMs)} ms`)
}

/** While there is load: an exemplar has to open at the moment that it is shown. */
async function scrapeUntil(ended: AbortSignal, audit: ExemplarAudit): Promise<void> {
  while (!ended.aborted) {
    // The collector is down for a while; what it shows again later is opened then.
    await audit.scrape().catch(() => undefined)
    await wait(SCRAPE_EVERY_MS, undefined, { signal: ended }).catch(() => undefined)
  }
}

/** Until all numbers are right and nothing is under way; or the deadline, and the rows tell why. */
async function settle(all: Parts): Promise<void> {
  await waitFor(
    'right numbers, with nothing under way',
    SETTLE_MS_MAX,
    async () => {
      const { status, expected, counted } = await numbers(all)
      const isQuiet = all.proxy.pending() === 0 && status.traces.open === 0
      const isRight =
        differences(expected, counted).length === 0 &&
        status.traces.stored === expected.get('edge user -> storefront')?.calls &&
        status.spans.stored === status.spans.accepted
      return (isQuiet && isRight) || undefined
    },
    250
  ).catch((error: Error) => say(error.message))
}

async function freshness(all: Parts): Promise<readonly number[]> {
  const url = `http://${all.shop.addresses.storefront}/`
  return await measureFreshness({
    requests: FRESHNESS_REQUESTS,
    everyMs: FRESHNESS_EVERY_MS,
    send: () => get(url),
    calls: async () => {
      const { services } = await all.collector.query('services', { from: all.fromUnixMs })
      return services.find(({ service }) => service === 'storefront')?.calls ?? 0
    }
  })
}

async function numbers(all: Parts) {
  const { query } = all.collector
  const window = { from: all.fromUnixMs }
  const counts = await all.shop.counts()
  const [services, graph, status, samples] = await Promise.all([
    query('services', window),
    query('graph', window),
    query('status', {}),
    scrapeMetrics(all.collector.uiUrl)
  ])
  const counted = { API: apiRows(services, graph), '/metrics': metricRows(samples) }
  const expected = expectedRows(counts, all.shop.addresses.ratings)
  return { status, expected, counted }
}

async function compare(
  all: Parts,
  audit: ExemplarAudit,
  measured: Readonly<Record<string, number | null>>
): Promise<Record<string, number | null>> {
  await audit.scrape()
  const { status, expected, counted } = await numbers(all)
  wrong.push(...differences(expected, counted))
  const exemplars = audit.report()
  wrong.push(...exemplars.closed)
  const api: Rows = counted.API
  const tracesMade = requests + FRESHNESS_REQUESTS
  const report = {
    requests: requests + FRESHNESS_REQUESTS,
    callsExpected: sum(expected, 'service', 'calls'),
    callsCounted: sum(api, 'service', 'calls'),
    errorsExpected: sum(expected, 'service', 'errors'),
    errorsCounted: sum(api, 'service', 'errors'),
    edgesExpected: sum(expected, 'edge', 'calls'),
    edgesCounted: sum(api, 'edge', 'calls'),
    edgeErrorsExpected: sum(expected, 'edge', 'errors'),
    edgeErrorsCounted: sum(api, 'edge', 'errors'),
    tracesExpected: tracesMade,
    tracesStored: status.traces.stored,
    exemplars: exemplars.shown,
    exemplarsOpen: exemplars.open,
    ...measured,
    ...all.proxy.counts(),
    // A span for each request served and each call made, and none besides.
    spansExpected: sum(expected, 'service', 'calls') + sum(expected, 'edge', 'calls') - tracesMade,
    spansAccepted: status.spans.accepted,
    spansStored: status.spans.stored,
    spansDuplicate: status.spans.duplicate,
    spansLate: status.spans.late,
    kills: 1,
    seconds: Math.round((performance.now() - startedMs) / 1_000)
  }
  const { tracesExpected, tracesStored, spansExpected, spansAccepted, spansStored } = report
  const say = (what: string): number => wrong.push(what)
  if (tracesStored !== tracesExpected) say(`traces: ${tracesExpected} made, ${tracesStored} stored`)
  if (spansAccepted !== spansExpected) {
    say(`spans: ${spansExpected} made, ${spansAccepted} accepted`)
  }
  if (spansStored !== spansAccepted) say(`spans: ${spansAccepted} accepted, ${spansStored} stored`)
  if (exemplars.shown === 0) say('/metrics showed no exemplar')
  if (report.duplicatesDelivered === 0) say('no payload was delivered twice: nothing was proved')
  return report
}

function get(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, (incoming) => {
      incoming.resume()
      incoming.on('end', resolve)
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

function onDeath(how: string): void {
  wrong.push(`the collector ended: ${how}`)
}

function say(what: string): void {
  if (values.json) return
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  console.error(`${seconds.padStart(6)} s  ${what}`)
}
