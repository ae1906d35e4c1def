/**
 * The composition root: chooses the parts, wires them, starts them in order and stops them in reverse.
 *
 *   instrument ─→ trace ─→ encode ─→ send
 *        └── context, propagate          (config and resource at the start)
 */
import { createRequire } from 'node:module'
import {
  type Context,
  context as contextApi,
  propagation,
  trace as traceApi
} from '@opentelemetry/api'
import { createOwnApi, type OwnApi } from './api.ts'
import { BatchExporter, type SpanExporter } from './batch-exporter.ts'
import { type SpanProcessor, SpanProcessors } from './compat.ts'
import type { TracerConfig } from './config/config.ts'
import { SpanloomContextManager } from './context/manager.ts'
import { SpanBuffer } from './encode/span-buffer.ts'
import { instrumentAll } from './instrument/all.ts'
import type { ForeignInstrumentation } from './instrument/foreign.ts'
import { createForeignNames, type ForeignNames } from './instrument/foreign-names.ts'
import type { SharedInstruments } from './instrument/instruments.ts'
import { createClock } from './lib/clock.ts'
import { createGuard } from './lib/guard.ts'
import { createRandomWords } from './lib/random-ids.ts'
import { type Notify, notifyStderr } from './notices.ts'
import { W3cPropagator } from './propagate/propagator.ts'
import { detectResource, processFacts } from './resource/resource.ts'
import { createHeadSampler } from './sample/head-sampler.ts'
import { onProcessEnd } from './send/exit.ts'
import { InlineSender } from './send/inline-sender.ts'
import type { Sender, SendOptions } from './send/sender.ts'
import { WorkerSender } from './send/worker-sender.ts'
import type { RecordingSpan } from './trace/span.ts'
import { ApiTracerProvider, SpanStarter } from './trace/tracer.ts'
import { SDK_VERSION } from './version.ts'

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
  /** Hands every sampled span to an SDK exporter too, in batches. */
  addSpanExporter(exporter: SpanExporter): void
}

export function startTracer(config: TracerConfig, notify: Notify = notifyStderr): SpanloomTracer {
  const guard = createGuard(notify)
  const clock = createClock()
  const contexts = new SpanloomContextManager()
  const propagator = new W3cPropagator(config)
  const processors = new SpanProcessors(guard)
  const resource = detectResource(processFacts(), config.resource)
  const sender = createSender(config, contexts, notify)
  const buffer = new SpanBuffer(resource, clock, notify, (bytes, count) =>
    sender.send(bytes, count)
  )
  let closed = false
  const host = {
    clock,
    limits: config.limits,
    resource,
    get seesEnding() {
      return processors.seesEnding
    },
    ending: (span: RecordingSpan) => processors.ending(span),
    ended(span: RecordingSpan) {
      if (closed) return
      buffer.add(span)
      processors.ended(span)
    }
  }
  const starter = new SpanStarter(host, createRandomWords(), createHeadSampler(config.sampler))
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
  const instruments: SharedInstruments = { contexts, starter, onStart, propagator, guard }
  const instrumented = instrumentAll(instruments)
  foreignNames = createForeignNames(instrumented.usages, notify)
  const foreignParts = { provider, names: foreignNames, guard, notify }
  const forgetExit = onProcessEnd(() => {
    buffer.flush()
    processors.exportAtExit()
    const lost = sender.flushAtExit(config.exitWaitMs)
    if (lost > 0) notify('SEND_EXIT', lost)
  })

  async function flush(): Promise<void> {
    // A worker that has ended does not answer.
    if (closed) return
    buffer.flush()
    await Promise.all([sender.flush(FLUSH_WAIT_MS), processors.forceFlush(FLUSH_WAIT_MS)])
  }
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    instrumented.stop()
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
      foreign().registerForeign(instrumentations, foreignParts),
    addSpanProcessor: (processor) => processors.add(processor),
    addSpanExporter(exporter) {
      const run = (context: Context, fn: () => void) => contexts.run(context, fn)
      processors.addExporter(new BatchExporter({ exporter, run, guard, notify }))
    }
  }
}

/** The tracer of a process in which tracing is switched off. Propagation stays, as OpenTelemetry has it. */
export function startDisabledTracer(config: TracerConfig): SpanloomTracer {
  propagation.setGlobalPropagator(new W3cPropagator(config))
  return {
    ...createOwnApi(undefined, undefined),
    async flush() {},
    async shutdown() {},
    registerInstrumentations: () => () => {},
    addSpanProcessor() {},
    addSpanExporter() {}
  }
}

/** Loaded when it is first used: most apps never do. */
function foreign(): typeof import('./instrument/foreign.ts') {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return createRequire(import.meta.url)(`./instrument/foreign.${ending}`)
}

function createSender(
  config: TracerConfig,
  contexts: SpanloomContextManager,
  notify: Notify
): Sender {
  const options: SendOptions = {
    url: config.url,
    headers: config.headers,
    timeoutMs: config.timeoutMs,
    queueBytesMax: config.queueBytesMax,
    userAgent: `spanloom-tracer/${SDK_VERSION}`
  }
  return new WorkerSender({
    options,
    notify,
    now: () => performance.now(),
    fallback: () => new InlineSender({ options, contexts, notify, random: Math.random })
  })
}
