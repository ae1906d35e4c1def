/**
 * Spans of messages, the same for every broker:
 *
 *   send D      PRODUCER, under what is active; writes its context into the message
 *   process D   CONSUMER, the app's handler: a child of who sent the message, and linked to it
 *   process D   CONSUMER, a batch: a root with a link to the sender of each message
 *   receive D   CLIENT, a poll by the app: under what is active, with the same links
 *
 * D is the queue or topic; for names that brokers make up it is `(temporary)`, because a span's name has few
 * values. Links of a batch are bound by the span's own limit, which counts what it drops.
 */
import { type Context, SpanKind } from '@opentelemetry/api'
import {
  MESSAGING_BATCH_MESSAGE_COUNT,
  MESSAGING_DESTINATION_NAME,
  MESSAGING_DESTINATION_TEMPORARY,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  MESSAGING_SYSTEM
} from '@spanloom/otlp'
import { BAGGAGE_KEY, ROOT_FRAME } from '../context/frame.ts'
import type { Headers } from '../propagate/propagator.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import { RecordingSpan } from '../trace/span.ts'
import { type AnySpan, contextWithSpan } from '../trace/tracer.ts'
import { endWithResult } from './calls.ts'
import { type Instruments, startEntrySpan, startExitSpan } from './instruments.ts'

/** A queue that the broker has named: RabbitMQ's own and its direct replies. */
const TEMPORARY = /^amq\.(gen-|rabbitmq\.reply-to)/

export const startSend = exitStarter('send', SpanKind.PRODUCER)
export const startReceive = exitStarter('receive', SpanKind.CLIENT)

/** The span is announced and ended by the caller, who may know more. */
function exitStarter(operation: 'send' | 'receive', kind: SpanKind) {
  return (instruments: Instruments, system: string, destination: string): AnySpan | undefined => {
    const span = startExitSpan(instruments, `${operation} ${shownName(destination)}`, kind)
    if (span instanceof RecordingSpan) describe(span, system, destination, operation)
    return span
  }
}

/** A message whose span has begun, and what its sender wrote. */
export interface BegunMessage {
  readonly span: AnySpan
  readonly headers: Headers
}

/** One message; `headers` are what its sender wrote. */
export function startProcess(
  instruments: Instruments,
  system: string,
  destination: string,
  headers: Headers
): AnySpan {
  const parent = instruments.propagator.parentOf(headers)
  const name = `process ${shownName(destination)}`
  const span = startEntrySpan(instruments, name, SpanKind.CONSUMER, parent)
  if (span instanceof RecordingSpan) {
    describe(span, system, destination, 'process')
    linkTo(span, parent ?? instruments.propagator.linkOf(headers))
  }
  return span
}

export function startProcessBatch(
  instruments: Instruments,
  system: string,
  destination: string,
  batch: readonly Headers[]
): AnySpan {
  const name = `process ${shownName(destination)}`
  const span = startEntrySpan(instruments, name, SpanKind.CONSUMER, undefined)
  if (span instanceof RecordingSpan) {
    describe(span, system, destination, 'process')
    span.put(MESSAGING_BATCH_MESSAGE_COUNT, batch.length)
    for (const headers of batch) linkToSender(instruments, span, headers)
  }
  return span
}

/** Runs the handler of a message in `consumerContext`. */
export function runAsConsumer<Result>(
  instruments: Instruments,
  span: AnySpan,
  headers: Headers | undefined,
  fn: () => Result
): Result {
  return instruments.contexts.run(consumerContext(instruments, span, headers), fn)
}

/** The same, and the span is as long as the handler: until it returns, throws, or its promise settles. */
export function handleMessage<Result>(
  instruments: Instruments,
  span: AnySpan,
  headers: Headers | undefined,
  handle: () => Result
): Result {
  return endWithResult(span, () => runAsConsumer(instruments, span, headers, handle))
}

/** The span of a message is active in it, with the sender's baggage and nothing of the library's. */
export function consumerContext(
  { propagator, guard }: Instruments,
  span: AnySpan,
  headers: Headers | undefined
): Context {
  let context = contextWithSpan(ROOT_FRAME, span)
  try {
    const baggage = headers === undefined ? undefined : propagator.baggageOf(headers)
    if (baggage !== undefined) context = context.setValue(BAGGAGE_KEY, baggage)
  } catch (fault) {
    guard.report('message baggage', fault)
  }
  return context
}

/** Also where traces are begun anew for what comes in: the link is what is left of the sender then. */
export function linkToSender(
  { propagator }: Instruments,
  span: RecordingSpan,
  headers: Headers
): void {
  linkTo(span, propagator.parentOf(headers) ?? propagator.linkOf(headers))
}

function linkTo(span: RecordingSpan, sender: InertSpan | undefined): void {
  if (sender !== undefined) span.addLink({ context: sender.spanContext() })
}

/** The headers of a message that are read, as text: brokers hand out buffers, text, or lists of either. */
export function textHeaders(
  { propagator }: Instruments,
  headers: unknown,
  get: (headers: object, name: string) => unknown = getOwn
): Headers {
  const text: Record<string, string> = {}
  if (typeof headers !== 'object' || headers === null) return text
  for (const name of propagator.readFields) {
    const value = textOf(get(headers, name))
    if (value !== undefined) text[name] = value
  }
  return text
}

function getOwn(headers: object, name: string): unknown {
  return (headers as Record<string, unknown>)[name]
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  return Array.isArray(value) && value.length === 1 ? textOf(value[0]) : undefined
}

function describe(
  span: RecordingSpan,
  system: string,
  destination: string,
  operation: 'send' | 'process' | 'receive'
): void {
  span.put(MESSAGING_SYSTEM, system)
  span.put(MESSAGING_DESTINATION_NAME, destination)
  if (TEMPORARY.test(destination)) span.put(MESSAGING_DESTINATION_TEMPORARY, true)
  span.put(MESSAGING_OPERATION_NAME, operation)
  span.put(MESSAGING_OPERATION_TYPE, operation)
}

function shownName(destination: string): string {
  return TEMPORARY.test(destination) ? '(temporary)' : destination
}
