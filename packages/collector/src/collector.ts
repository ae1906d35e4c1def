/**
 * Composition root: chooses adapters, starts in order, stops in reverse.
 *
 *   start  data directory → OTLP port (503) → store → journal, replay → intake opens → UI port
 *   stop   intake closes (503) → ports → last tick, batches, checkpoint → the rest in reverse
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CollectorConfig } from './config/config.ts'
import { takeDataDir } from './config/data-dir.ts'
import { CollectorError, reasonOf } from './errors.ts'
import { renderMetrics } from './export/prometheus.ts'
import { createLocalJournal } from './journal/local/local-journal.ts'
import { Changes } from './lib/changes.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { Lifecycle } from './lib/lifecycle.ts'
import { urlOf } from './lib/url.ts'
import { LatestValues } from './observe/latest-values.ts'
import { OpenSpans } from './observe/open-spans.ts'
import { createCheckpoints } from './pipeline/checkpoint-file.ts'
import { Intake } from './pipeline/intake.ts'
import { ShardHost, type ShardThread } from './pipeline/shard-host.ts'
import type { ShardWorkerData } from './pipeline/shard-worker.ts'
import { collectStatus, observe, payloadsRejected } from './pipeline/status.ts'
import { createQueries } from './query/queries.ts'
import { HeadRates } from './receive/head-rates.ts'
import { createOtlpHttpReceiver } from './receive/otlp-http.ts'
import { createServer } from './serve/server.ts'
import { createChdbStore } from './store/chdb/chdb-store.ts'
import type { MetricStore } from './store/metric-store.ts'
import type { SpanStore } from './store/span-store.ts'
import { createLog, type Log } from './telemetry/log.ts'
import { receiverEvents } from './telemetry/receiver-events.ts'
import { SelfMetrics } from './telemetry/self-metrics.ts'

export { type CollectorConfig, type ConfigOverrides, configWith } from './config/config.ts'
export { CollectorError, type ErrorCode } from './errors.ts'

const require = createRequire(import.meta.url)

/** One thread keeps up with 0.8 million spans a second; more take a checkpoint of their own each. */
const SHARD_COUNT = 1
/** Of a stop; then what is left is repeated at the next start. */
const FINISH_MS = 3_000
const STOP_MS = 3_800

export interface Addresses {
  readonly uiUrl: string
  readonly otlpUrl: string
}

export interface Collector {
  /** Once. Resolves when it takes payloads and answers queries. @throws CollectorError */
  start(): Promise<Addresses>
  /** Within 4 s; safe at any moment, and more than once. */
  stop(): Promise<void>
  /** Resolves when the collector cannot go on: stop it and start another. */
  readonly failed: Promise<CollectorError>
}

export interface StoreParts {
  readonly config: CollectorConfig
  readonly dataDir: string
  readonly log: Log
  readonly clock: Clock
}

/** What a test may replace. */
export interface Adapters {
  readonly clock: Clock
  readonly log: Log
  readonly createStore: (parts: StoreParts) => SpanStore & MetricStore
  readonly spawnShard: (data: ShardWorkerData) => ShardThread
}

export function createCollector(
  config: CollectorConfig,
  adapters: Partial<Adapters> = {}
): Collector {
  const { clock = systemClock, createStore = embeddedStore, spawnShard = shardWorker } = adapters
  const log = adapters.log ?? createLog(clock, (line) => process.stderr.write(line))
  const startedMs = clock.monotonicMs()
  const lifecycle = new Lifecycle({
    clock,
    finishMs: FINISH_MS,
    stopMs: STOP_MS,
    onStopFailed: (error) => log.error('stop failed', { reason: reasonOf(error) })
  })
  let fail: (error: CollectorError) => void = () => {}
  const failed = new Promise<CollectorError>((resolve) => {
    fail = resolve
  })

  return { start, stop: () => lifecycle.stop(), failed }

  async function start(): Promise<Addresses> {
    const stopped = new Promise<void>((resolve) => {
      lifecycle.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const cannotStart = Promise.race([failed, stopped]).then((error) => Promise.reject(error))
    try {
      return await Promise.race([startInOrder(), cannotStart])
    } catch (error) {
      const reason = lifecycle.signal.aborted
        ? new CollectorError('PIPELINE_NOT_OPEN', ['stopping'], error)
        : error
      await lifecycle.stop()
      throw reason
    }
  }

  async function startInOrder(): Promise<Addresses> {
    const { host, uiPort } = config.common
    const { path } = await lifecycle.started(takeDataDir(config.common.dataDir), (dataDir) =>
      dataDir.release()
    )
    // Whoever is still asking does not keep the last spans from the store.
    let isServerClosed: Promise<void> | undefined
    const parts = await lifecycle.started(assemble(path), async ({ shards, store, journal }) => {
      await Promise.all(shards.map((shard) => shard.stop()))
      await isServerClosed
      await Promise.all([store.close(), journal.close()])
    })
    const { store, intake, receiver, server } = parts
    const otlp = await lifecycle.started(receiver.listen(), async (_, finish) => {
      intake.refuseAll()
      await receiver.close(finish)
      if (await intake.finish(finish)) return
      log.warn('stopped before all was stored', { next: 'the next start repeats the rest' })
    })
    await store.open(lifecycle.signal)
    await intake.open()
    const ui = await lifecycle.started(server.listen(host, uiPort), async () => {
      intake.refuseAll()
      isServerClosed = server.close()
    })
    return { uiUrl: urlOf(host, ui.port), otlpUrl: urlOf(host, otlp.port) }
  }

  async function assemble(dataDir: string) {
    const metrics = new SelfMetrics()
    const changes = new Changes()
    const store = createStore({ config, dataDir: join(dataDir, 'store'), log, clock })
    const journal = createLocalJournal({
      ...config.journal,
      directory: join(dataDir, 'journal'),
      newId: () => randomBytes(16).toString('hex')
    })
    const checkpoints = createCheckpoints(join(dataDir, 'checkpoints'), {
      damaged: (file, reason) => log.warn('checkpoint left out', { file, reason })
    })
    const { checkpointIntervalMs, batchSpansMax, unstoredBytesMax } = config.pipeline
    const ofShards = { checkpointIntervalMs, batchSpansMax }
    const options = { ...config.stitch, ...config.derive, ...config.sample, ...ofShards }
    const common = { checkpoints, store, clock, log, metrics, changes, onFailed: fail }
    const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => {
      const thread = spawnShard({ shard, shardCount: SHARD_COUNT, options })
      return new ShardHost({
        ...common,
        shard,
        shardCount: SHARD_COUNT,
        thread,
        unstoredBytesMax,
        onCheckpoint
      })
    })
    function onCheckpoint(): void {
      const neededFrom = Math.min(...shards.map((shard) => shard.neededFrom))
      journal
        .trim(neededFrom)
        .catch((error) => log.error('journal not trimmed', { reason: reasonOf(error) }))
    }
    const intake = new Intake({ ...common, ...config.pipeline, journal, shards })
    const { headSpansPerSecond } = config.receive
    const latestValues = new LatestValues(() => clock.unixMs())
    const openSpans = new OpenSpans(() => clock.unixMs())
    const receiver = createOtlpHttpReceiver({
      host: config.common.host,
      port: config.common.otlpPort,
      options: config.receive,
      sink: intake,
      latestValues,
      openSpans,
      events: receiverEvents(metrics, log),
      headRates:
        headSpansPerSecond > 0
          ? new HeadRates(headSpansPerSecond, () => clock.monotonicMs())
          : undefined
    })
    const facts = { intake, journal, shards, store, clock, metrics, startedMs }
    metrics.addSource(() => observe(facts))
    for (const shard of shards) shard.payloadsRejected = () => payloadsRejected(shards, metrics)
    const server = createServer({
      queries: createQueries({
        spanStore: store,
        metricStore: store,
        openSpans,
        nowUnixMs: () => clock.unixMs()
      }),
      status: (signal) => collectStatus(facts, signal),
      metrics: async (accept) => {
        const snapshots = await Promise.all(shards.map((shard) => shard.snapshot()))
        return renderMetrics(snapshots, accept, metrics.collect(), latestValues.list())
      },
      uiDir: join(dirname(require.resolve('@spanloom/ui/package.json')), 'dist'),
      report: (sentence) => log.error('serve failed', { reason: sentence })
    })
    return { store, journal, shards, intake, receiver, server }
  }
}

function embeddedStore({ config, dataDir, log, clock }: StoreParts): SpanStore & MetricStore {
  const report = (sentence: string) => log.warn('store', { reason: sentence })
  return createChdbStore({ ...config.store, dataDir, nowUnixMs: () => clock.unixMs(), report })
}

function shardWorker(data: ShardWorkerData): ShardThread {
  const file = import.meta.url.endsWith('.ts') ? 'shard-worker.ts' : 'shard-worker.js'
  return new Worker(new URL(`./pipeline/${file}`, import.meta.url), { workerData: data })
}
