/**
 * The composition root: chooses the parts, wires them, starts them in order and stops them in reverse.
 *
 *   instrument ─→ trace ─→ encode ─→ send
 *        └── context, propagate          (config and resource at the start)
 */
import { randomUUID } from 'node:crypto'
import {
  type Context,
  context as contextApi,
  propagation,
  TraceFlags,
  trace as traceApi
} from '@opentelemetry/api'
import { headRateName, SERVICE_NAME } from '@spanloom/otlp'
import { createOwnApi, type OwnApi } from './api.ts'
import type { SpanExporter } from './batch-exporter.ts'
import {
  type ForeignSpanExporter,
  type ForeignSpanProcessor,
  type Sampler,
  type SpanProcessor,
  SpanProcessors
} from './compat.ts'
import { isInstrumented, readConfig, type TracerConfig, unknownLibraries } from './config/config.ts'
import { isPreloaded, processEnvironment } from './config/environment.ts'
import { SUPPRESSED_FRAME } from './context/frame.ts'
import { SpanloomContextManager } from './context/manager.ts'
import { DIAGNOSTICS, type Diagnostics } from './doctor/findings.ts'
import { Collapser } from './encode/collapser.ts'
import { encodeMetrics } from './encode/metric-encoder.ts'
import { SpanBuffer } from './encode/span-buffer.ts'
import { instrumentAll, LIBRARY_NAMES } from './instrument/all.ts'
import type { ForeignInstrumentation } from './instrument/foreign.ts'
import { createForeignNames, type ForeignNames } from './instrument/foreign-names.ts'
import { headerCapture } from './instrument/header-capture.ts'
import { BUILT_IN_SCOPE, type SharedInstruments } from './instrument/instruments.ts'
import { sayInstrumentedSoon } from './instrument/say-instrumented.ts'
import { createClock } from './lib/clock.ts'
import { createGuard } from './lib/guard.ts'
import { requireOwn } from './lib/own-file.ts'
import { createRandomWords } from './lib/random-ids.ts'
import { type Notify, notifyAt, notifyStderr } from './notices.ts'
import { Propagator } from './propagate/propagator.ts'
import { processFacts } from './resource/facts.ts'
import { detectResource } from './resource/resource.ts'
import { threadCpuMs } from './runtime/overhead.ts'
import { RuntimeWatch } from './runtime/watch.ts'
import { HeadSampler } from './sample/head-sampler.ts'
import { consoleSpans } from './send/console-spans.ts'
import { onProcessEnd } from './send/exit.ts'
import { InlineSender } from './send/inline-sender.ts'
import { NO_SENDER } from './send/no-sender.ts'
import type { OpenSpanWatch, Sender, SendOptions } from './send/sender.ts'
import { WorkerSender } from './send/worker-sender.ts'
import { Counting } from './stats/counting.ts'
import { adoptEarlyTracers } from './trace/early-tracers.ts'
import type { RecordingSpan } from './trace/span.ts'
import { ApiTracerProvider, SpanStarter } from './trace/tracer.ts'
import { SDK_VERSION } from './version.ts'

const OWN_SCOPE = { name: '@spanloom/tracer', version: SDK_VERSION }

/** How long `flush()` waits for a collector that does not answer. */
const FLUSH_WAIT_MS = 5_000

/** The started tracer: what `@spanloom/tracer/register` exports. */
export interface SpanloomTracer extends OwnApi {
  /** Resolves when all that has ended is delivered or dropped, after 5 s at most. */
  flush(): Promise<void>
  /** Flushes, then stops: nothing is instrumented or sent any more. */
  shutdown(): Promise<void>
  /**
   * Instrumentations of OpenTelemetry, in CommonJS and in ES modules that are imported after this. Returns
   * what disables them.
   */
  registerInstrumentations(instrumentations: readonly ForeignInstrumentation[]): () => void
  /** Sees every recorded span, beside the tracer's own sending. */
  addSpanProcessor(processor: SpanProcessor): void
  addSpanProcessor(processor: ForeignSpanProcessor): void
  /** Hands every sampled span to an SDK exporter too, in batches. */
  addSpanExporter(exporter: SpanExporter): void
  addSpanExporter(exporter: ForeignSpanExporter): void
  /** The app's own sampler decides from now on, about every span, instead of what is configured. */
  setSampler(sampler: Sampler): void
}

/**
 * By default as the environment says. `appSampler` decides instead of what is configured, from the first span
 * on.
 */
export function startTracer(
  config: TracerConfig = readConfig(notifyStderr),
  tell: Notify = notifyStderr,
  appSampler?: Sampler
): SpanloomTracer {
  const notify = notifyAt(config.logLevel, tell)
  const guard = createGuard(notify)
  const clock = createClock()
  const contexts = new SpanloomContextManager()
  const propagator = new Propagator(config.propagation)
  const processors = new SpanProcessors(guard)
  const resource = detectResource(processFacts(processEnvironment()), config)
  const serviceName = String(resource.attributes[SERVICE_NAME])
  const sampler = new HeadSampler(config.sampler, config.sampling, {
    serviceName,
    resource: resource.attributes,
    nowMs: () => performance.now(),
    epochMs: Date.now,
    random: Math.random,
    untraced: (fn) => contexts.run(SUPPRESSED_FRAME, fn),
    notify,
    guard
  })
  if (appSampler !== undefined) sampler.use(appSampler)
  const share = { collector: 1, overhead: 1 }
  const scale = () => sampler.scale(share.collector * share.overhead)
  const { traces, metrics, logs } = config.exporters
  const hasMetrics = config.runtimeMetrics && metrics.length > 0
  const watch = new RuntimeWatch({
    clock,
    monotonicNow: () => performance.now(),
    notify,
    guard,
    maxOverheadPercent: config.maxOverheadPercent,
    metricIntervalMs: hasMetrics ? config.metricIntervalMs : 0,
    senderBusyMs: () => sender.busyMs,
    sayName: (index, name) => sender.sayName(index, name),
    sendMetrics: (taken) => sender.send(encodeMetrics(resource, OWN_SCOPE, taken), 0, 'metrics'),
    onTraceShare(traceShare) {
      share.overhead = traceShare
      scale()
    }
  })
  const asksForRate = config.sampling.samplingFromCollector && sampler.isScalable
  const sender = createSender(config, contexts, notify, {
    headRateName: asksForRate ? headRateName(serviceName) : undefined,
    onMemory: (memory) => buffer.recycle(memory),
    onHeadRate(rate) {
      share.collector = rate
      scale()
    },
    watch:
      logs.length > 0
        ? { shared: watch.open.shared, resource: resource.attributes, scope: OWN_SCOPE }
        : undefined
  })
  const buffer = new SpanBuffer(
    resource,
    clock,
    notify,
    (bytes, count) => sender.send(bytes, count),
    config.flushAfterMs
  )
  const collapser = config.collapse ? new Collapser(buffer) : undefined
  buffer.beforeFlush = () => collapser?.releaseAll()
  /** What spans go through on their way out. */
  const out = collapser ?? buffer
  let closed = false
  const counting = new Counting({
    resource,
    clock,
    notify,
    random: Math.random,
    stream: randomUUID(),
    send: (bytes) => sender.send(bytes, 0, 'metrics')
  })
  const countSpan = guard.wrap('span stats', (span: RecordingSpan) => counting.count(span))
  if (traces.includes('console')) {
    processors.add(consoleSpans((line) => void process.stdout.write(line)))
  }
  const isSent = traces.includes('otlp')
  const host = {
    clock,
    limits: config.limits,
    resource,
    countUnsampled: false,
    opened: (span: RecordingSpan) => watch.opened(span),
    get seesEnding() {
      return processors.seesEnding
    },
    ending: (span: RecordingSpan) => processors.ending(span),
    ended(span: RecordingSpan) {
      if (closed) return
      const fromMs = watch.overhead.isTimed ? threadCpuMs() : -1
      watch.ending(span)
      if (counting.isOn) countSpan(span)
      const goesOut = isSent && (span.traceFlags & TraceFlags.SAMPLED) !== 0
      if (goesOut && !watch.isShed(span, span.scope === BUILT_IN_SCOPE)) out.add(span)
      processors.ended(span)
      if (fromMs >= 0) watch.overhead.took(threadCpuMs() - fromMs)
    }
  }
  const startCounting = guard.wrap('span stats', () => {
    buffer.countedFromNow()
    counting.start()
    host.countUnsampled = true
  })
  if (metrics.length > 0 && config.spanStats === 'always') startCounting()
  else if (metrics.length > 0 && config.spanStats === 'auto') sampler.onMayDrop(startCounting)
  const starter = new SpanStarter(host, createRandomWords(), sampler)
  const onStart = (span: RecordingSpan, parent: Context) => processors.started(span, parent)
  let foreignNames: ForeignNames | undefined
  const provider = new ApiTracerProvider(
    starter,
    contexts,
    onStart,
    (name) => foreignNames?.isDouble(name) === true
  )

  const registered = [
    contextApi.setGlobalContextManager(contexts),
    propagation.setGlobalPropagator(propagator),
    traceApi.setGlobalTracerProvider(provider)
  ]
  if (registered.includes(false)) notify('API_TAKEN')
  if (!isPreloaded()) {
    adoptEarlyTracers(provider).catch((fault) => guard.report('early tracers', fault))
  }
  const named = Object.values(config.captureHeaders).some((names) => names.length > 0)
  const instruments: SharedInstruments = {
    contexts,
    starter,
    processors,
    propagator,
    guard,
    overhead: watch.overhead,
    middlewareSpans: config.middlewareSpans,
    headers: named ? headerCapture(config.captureHeaders) : undefined
  }
  const instrumented = instrumentAll(instruments, (name) =>
    isInstrumented(config.instrumentations, name)
  )
  const unknown = unknownLibraries(config.instrumentations, LIBRARY_NAMES)
  if (unknown.length > 0) notify('CONFIG_NO_LIBRARY', unknown.join(', '))
  foreignNames = createForeignNames(instrumented.usages, notify)
  const foreignParts = { provider, names: foreignNames, guard, notify }
  const unsay = sayInstrumentedSoon(instrumented.usages, config.startupLog, notify)
  tellOfItself({ serviceName, usages: instrumented.usages, isOff: false })
  const forgetExit = onProcessEnd(() => {
    buffer.flush()
    counting.flush()
    processors.exportAtExit()
    const lost = sender.flushAtExit(config.exitWaitMs)
    if (lost > 0) notify('SEND_EXIT', lost)
    return lost === 0
  })

  async function flush(): Promise<void> {
    // A worker that has ended does not answer.
    if (closed) return
    buffer.flush()
    counting.flush()
    await Promise.all([sender.flush(FLUSH_WAIT_MS), processors.forceFlush(FLUSH_WAIT_MS)])
  }
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    unsay()
    instrumented.stop()
    watch.stop()
    sampler.close()
    await flush()
    closed = true
    await processors.shutdown(FLUSH_WAIT_MS)
    forgetExit()
    await sender.close()
    contexts.disable()
  }

  return {
    ...createOwnApi(provider.getTracer('@spanloom/tracer/api', SDK_VERSION), contexts),
    flush,
    shutdown() {
      stopped ??= stop()
      return stopped
    },
    registerInstrumentations: (instrumentations) =>
      requireOwn<typeof import('./instrument/foreign.ts')>('instrument/foreign').registerForeign(
        instrumentations,
        foreignParts
      ),
    addSpanProcessor: (processor: SpanProcessor) => processors.add(processor),
    addSpanExporter(exporter: SpanExporter) {
      const run = (context: Context, fn: () => void) => contexts.run(context, fn)
      const { BatchExporter } = requireOwn<typeof import('./batch-exporter.ts')>('batch-exporter')
      processors.addExporter(new BatchExporter({ exporter, run, guard, notify }))
    },
    setSampler: (appsSampler) => sampler.use(appsSampler)
  }
}

/** The tracer of a process in which tracing is switched off. Propagation stays, as OpenTelemetry has it. */
export function startDisabledTracer(config: TracerConfig): SpanloomTracer {
  propagation.setGlobalPropagator(new Propagator(config.propagation))
  tellOfItself({ serviceName: '', usages: [], isOff: true })
  return {
    ...createOwnApi(undefined, undefined),
    async flush() {},
    async shutdown() {},
    registerInstrumentations: () => () => {},
    addSpanProcessor() {},
    addSpanExporter() {},
    setSampler() {}
  }
}

/** For the doctor: a getter on `globalThis`, read by nobody else. */
function tellOfItself(facts: Omit<Diagnostics, 'version' | 'startedAtMs'>): void {
  const startedAtMs = performance.now()
  const known = globalThis as Record<symbol, unknown>
  known[Symbol.for(DIAGNOSTICS)] = (): Diagnostics => ({
    version: SDK_VERSION,
    startedAtMs,
    ...facts
  })
}

function createSender(
  config: TracerConfig,
  contexts: SpanloomContextManager,
  notify: Notify,
  more: {
    readonly headRateName: string | undefined
    readonly onHeadRate: (rate: number) => void
    readonly onMemory: (memory: ArrayBuffer) => void
    readonly watch: OpenSpanWatch | undefined
  }
): Sender {
  const { headRateName, onHeadRate, onMemory, watch } = more
  const { exporters, endpoints } = config
  if (![...exporters.traces, ...exporters.metrics, ...exporters.logs].includes('otlp')) {
    return NO_SENDER
  }
  const { metrics } = endpoints
  const options: SendOptions = {
    targets: {
      ...endpoints,
      metrics: { ...metrics, timeoutMs: Math.min(metrics.timeoutMs, config.metricTimeoutMs) }
    },
    queueBytesMax: config.queueBytesMax,
    userAgent: `spanloom-tracer/${SDK_VERSION}`,
    headRateName,
    logLevel: config.logLevel
  }
  return new WorkerSender({
    options,
    notify,
    now: () => performance.now(),
    onHeadRate,
    onMemory,
    watch,
    fallback: () => new InlineSender({ options, contexts, notify, random: Math.random, onHeadRate })
  })
}
