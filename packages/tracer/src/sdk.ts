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
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace as traceApi
} from '@opentelemetry/api'
import { headRateName, SERVICE_NAME } from '@spanloom/otlp'
import { type Sampler, type SpanProcessor, SpanProcessors } from './compat.ts'
import type { TracerConfig } from './config/config.ts'
import { SpanloomContextManager } from './context/manager.ts'
import { SpanBuffer } from './encode/span-buffer.ts'
import { instrumentAll } from './instrument/all.ts'
import type { SharedInstruments } from './instrument/instruments.ts'
import { createClock } from './lib/clock.ts'
import { createGuard } from './lib/guard.ts'
import { createRandomWords } from './lib/random-ids.ts'
import { type Notify, notifyStderr } from './notices.ts'
import { W3cPropagator } from './propagate/propagator.ts'
import { detectResource, processFacts } from './resource/resource.ts'
import { HeadSampler } from './sample/head-sampler.ts'
import { onProcessEnd } from './send/exit.ts'
import { InlineSender } from './send/inline-sender.ts'
import type { Sender, SendOptions } from './send/sender.ts'
import { WorkerSender } from './send/worker-sender.ts'
import { Counting } from './stats/counting.ts'
import type { RecordingSpan } from './trace/span.ts'
import { type ApiTracer, ApiTracerProvider, contextWithSpan, SpanStarter } from './trace/tracer.ts'
import { SDK_VERSION } from './version.ts'

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
  notify: Notify = notifyStderr,
  appSampler?: Sampler
): SpanloomTracer {
  const guard = createGuard(notify)
  const clock = createClock()
  const contexts = new SpanloomContextManager()
  const propagator = new W3cPropagator(config)
  const processors = new SpanProcessors(guard)
  const resource = detectResource(processFacts(), config.resource)
  const serviceName = String(resource.attributes[SERVICE_NAME])
  const sampler = new HeadSampler(config.sampler, config.sampling, {
    serviceName,
    nowMs: () => performance.now(),
    notify,
    guard
  })
  if (appSampler !== undefined) sampler.use(appSampler)
  const sender = createSender(config, contexts, notify, sampler, serviceName)
  const buffer = new SpanBuffer(resource, clock, notify, (bytes, count) =>
    sender.send(bytes, count)
  )
  const counting = new Counting({
    resource,
    clock,
    notify,
    random: Math.random,
    stream: randomUUID(),
    send: (bytes) => sender.send(bytes, 0, 'metrics')
  })
  const countSpan = guard.wrap('span stats', (span: RecordingSpan) => counting.count(span))
  const host = {
    clock,
    limits: config.limits,
    resource,
    countUnsampled: false,
    ended(span: RecordingSpan) {
      if (counting.isOn) countSpan(span)
      if ((span.traceFlags & TraceFlags.SAMPLED) !== 0) buffer.add(span, counting.isOn)
      processors.ended(span)
    }
  }
  const startCounting = guard.wrap('span stats', () => {
    counting.start()
    host.countUnsampled = true
  })
  if (config.spanStats === 'always') startCounting()
  else if (config.spanStats === 'auto') sampler.onMayDrop(startCounting)
  const starter = new SpanStarter(host, createRandomWords(), sampler)
  const onStart = (span: RecordingSpan, parent: Context) => processors.started(span, parent)
  const provider = new ApiTracerProvider(starter, contexts, onStart)

  contextApi.setGlobalContextManager(contexts)
  propagation.setGlobalPropagator(propagator)
  traceApi.setGlobalTracerProvider(provider)
  const instruments: SharedInstruments = { contexts, starter, onStart, propagator, guard }
  const instrumented = instrumentAll(instruments)
  const forgetExit = onProcessEnd(() => {
    buffer.flush()
    counting.flush()
    const lost = sender.flushAtExit(config.exitWaitMs)
    if (lost > 0) notify('SEND_EXIT', lost)
  })

  async function flush(): Promise<void> {
    buffer.flush()
    counting.flush()
    await Promise.all([sender.flush(FLUSH_WAIT_MS), processors.forceFlush()])
  }
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    instrumented.stop()
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
  propagation.setGlobalPropagator(new W3cPropagator(config))
  return {
    trace: createTrace(undefined, undefined),
    async flush() {},
    async shutdown() {},
    addSpanProcessor() {},
    setSampler() {}
  }
}

function createSender(
  config: TracerConfig,
  contexts: SpanloomContextManager,
  notify: Notify,
  sampler: HeadSampler,
  serviceName: string
): Sender {
  const options: SendOptions = {
    targets: config.targets,
    timeoutMs: config.timeoutMs,
    queueBytesMax: config.queueBytesMax,
    userAgent: `spanloom-tracer/${SDK_VERSION}`,
    headRateName: sampler.isScalable ? headRateName(serviceName) : undefined
  }
  const onHeadRate = (rate: number) => sampler.scale(rate)
  return new WorkerSender({
    options,
    notify,
    now: () => performance.now(),
    onHeadRate,
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
