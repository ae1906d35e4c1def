/**
 * The composition root: chooses the parts, wires them, starts them in order and stops them in reverse.
 *
 *   instrument ─→ trace ─→ encode ─→ send
 *        └── context, propagate          (config and resource at the start)
 */
import {
  type Context,
  context as contextApi,
  propagation,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace as traceApi
} from '@opentelemetry/api'
import { headRateName, SERVICE_NAME } from '@spanloom/otlp'
import { type Sampler, type SpanProcessor, SpanProcessors } from './compat.ts'
import { isInstrumented, type TracerConfig } from './config/config.ts'
import { isPreloaded, processEnvironment } from './config/environment.ts'
import { SpanloomContextManager } from './context/manager.ts'
import { DIAGNOSTICS, type Diagnostics } from './doctor/findings.ts'
import { encodeMetrics } from './encode/metric-encoder.ts'
import { SpanBuffer } from './encode/span-buffer.ts'
import { instrumentAll } from './instrument/all.ts'
import { headerCapture } from './instrument/header-capture.ts'
import { BUILT_IN_SCOPE, type SharedInstruments } from './instrument/instruments.ts'
import { sayInstrumentedSoon } from './instrument/say-instrumented.ts'
import { createClock } from './lib/clock.ts'
import { createGuard } from './lib/guard.ts'
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
import type { OpenSpanWatch, Sender, SendOptions } from './send/sender.ts'
import { WorkerSender } from './send/worker-sender.ts'
import { adoptEarlyTracers } from './trace/early-tracers.ts'
import type { RecordingSpan } from './trace/span.ts'
import { type ApiTracer, ApiTracerProvider, contextWithSpan, SpanStarter } from './trace/tracer.ts'
import { SDK_VERSION } from './version.ts'

const OWN_SCOPE = { name: '@spanloom/tracer', version: SDK_VERSION }

/** How long `flush()` waits for a collector that does not answer. */
const FLUSH_WAIT_MS = 5_000

/** The started tracer: what `@spanloom/tracer/register` exports. */
export interface SpanloomTracer {
  /**
   * Runs `fn` in a new span, which ends when `fn` returns or its promise settles. What `fn` throws is
   * recorded on the span and thrown on.
   */
  trace<Result>(name: string, fn: (span: Span) => Result): Result
  trace<Result>(name: string, options: SpanOptions, fn: (span: Span) => Result): Result
  /** Resolves when all that has ended is delivered or dropped, after 5 s at most. */
  flush(): Promise<void>
  /** Flushes, then stops: nothing is instrumented or sent any more. */
  shutdown(): Promise<void>
  /** Sees every recorded span, beside the tracer's own sending. */
  addSpanProcessor(processor: SpanProcessor): void
  /** The app's own sampler decides from now on, about every span, instead of what is configured. */
  setSampler(sampler: Sampler): void
}

/** `appSampler` decides instead of what is configured, from the first span on. */
export function startTracer(
  config: TracerConfig,
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
    nowMs: () => performance.now(),
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
  if (traces.includes('console')) {
    processors.add(consoleSpans((line) => void process.stdout.write(line)))
  }
  const isSent = traces.includes('otlp')
  const host = {
    clock,
    limits: config.limits,
    resource,
    opened: (span: RecordingSpan) => watch.opened(span),
    ended(span: RecordingSpan) {
      const fromMs = watch.overhead.isTimed ? threadCpuMs() : -1
      watch.ending(span)
      const goesOut = isSent && (span.traceFlags & TraceFlags.SAMPLED) !== 0
      if (goesOut && !watch.isShed(span, span.scope === BUILT_IN_SCOPE)) buffer.add(span)
      processors.ended(span)
      if (fromMs >= 0) watch.overhead.took(threadCpuMs() - fromMs)
    }
  }
  const starter = new SpanStarter(host, createRandomWords(), sampler)
  const onStart = (span: RecordingSpan, parent: Context) => processors.started(span, parent)
  const provider = new ApiTracerProvider(starter, contexts, onStart)

  contextApi.setGlobalContextManager(contexts)
  propagation.setGlobalPropagator(propagator)
  traceApi.setGlobalTracerProvider(provider)
  if (!isPreloaded()) {
    adoptEarlyTracers(provider).catch((fault) => guard.report('early tracers', fault))
  }
  const named = Object.values(config.captureHeaders).some((names) => names.length > 0)
  const instruments: SharedInstruments = {
    contexts,
    starter,
    onStart,
    propagator,
    guard,
    overhead: watch.overhead,
    headers: named ? headerCapture(config.captureHeaders) : undefined
  }
  const instrumented = instrumentAll(instruments, (name) =>
    isInstrumented(config.instrumentations, name)
  )
  const unsay = sayInstrumentedSoon(instrumented.usages, config.startupLog, notify)
  tellOfItself({ serviceName, usages: instrumented.usages })
  const forgetExit = onProcessEnd(() => {
    buffer.flush()
    const lost = sender.flushAtExit(config.exitWaitMs)
    if (lost > 0) notify('SEND_EXIT', lost)
  })

  async function flush(): Promise<void> {
    buffer.flush()
    await Promise.all([sender.flush(FLUSH_WAIT_MS), processors.forceFlush()])
  }
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    unsay()
    instrumented.stop()
    watch.stop()
    await flush()
    await processors.shutdown()
    forgetExit()
    await sender.close()
    contexts.disable()
  }

  return {
    trace: createTrace(provider.getTracer('@spanloom/tracer/api', SDK_VERSION), contexts),
    flush,
    shutdown() {
      stopped ??= stop()
      return stopped
    },
    addSpanProcessor: (processor) => processors.add(processor),
    setSampler: (appsSampler) => sampler.use(appsSampler)
  }
}

/** The tracer of a process in which tracing is switched off. Propagation stays, as OpenTelemetry has it. */
export function startDisabledTracer(config: TracerConfig): SpanloomTracer {
  propagation.setGlobalPropagator(new Propagator(config.propagation))
  return {
    trace: createTrace(undefined, undefined),
    async flush() {},
    async shutdown() {},
    addSpanProcessor() {},
    setSampler() {}
  }
}

/** For the doctor: a getter on `globalThis`, read by nobody else. */
function tellOfItself(facts: Pick<Diagnostics, 'serviceName' | 'usages'>): void {
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
    readonly watch: OpenSpanWatch | undefined
  }
): Sender {
  const { headRateName, onHeadRate, watch } = more
  const options: SendOptions = {
    targets: config.endpoints,
    timeoutMs: config.timeoutMs,
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
    watch,
    fallback: () => new InlineSender({ options, contexts, notify, random: Math.random, onHeadRate })
  })
}

function createTrace(
  tracer: ApiTracer | undefined,
  contexts: SpanloomContextManager | undefined
): SpanloomTracer['trace'] {
  return <Result>(
    name: string,
    optionsOrFn: SpanOptions | ((span: Span) => Result),
    maybeFn?: (span: Span) => Result
  ): Result => {
    const fn = typeof optionsOrFn === 'function' ? optionsOrFn : maybeFn!
    const options = typeof optionsOrFn === 'function' ? {} : optionsOrFn
    if (tracer === undefined || contexts === undefined) {
      return fn(traceApi.getTracer('@spanloom/tracer').startSpan(name))
    }
    const parent = contexts.active()
    const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, ...options }, parent)
    return runInSpan(span, () => contexts.run(contextWithSpan(parent, span), () => fn(span)))
  }
}

function runInSpan<Result>(span: Span, run: () => Result): Result {
  let result: Result
  try {
    result = run()
  } catch (error) {
    throw failed(span, error)
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    span.end()
    return result
  }
  return (result as PromiseLike<unknown>).then(
    (value) => {
      span.end()
      return value
    },
    (error) => {
      throw failed(span, error)
    }
  ) as Result
}

function failed(span: Span, error: unknown): unknown {
  span.recordException(error as Error)
  const message = error instanceof Error ? error.message : String(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  span.end()
  return error
}
