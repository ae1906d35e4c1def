/**
 * AWS Lambda: a span for each invocation, delivered before the function is frozen.
 *
 *   import { wrapHandler } from '@spanloom/tracer/lambda'
 *   export const handler = wrapHandler(async (event, context) => …)
 *
 * The span is SERVER by the conventions for functions, its parent what the event's HTTP headers carry; the
 * messages of a batch (SQS, SNS) are linked. After the handler has settled the spans are flushed, for 1 s
 * at most: a collector that does not answer costs an invocation that, and nothing else.
 */
import {
  type Context,
  context as contextApi,
  type Link,
  propagation,
  SpanKind,
  type TextMapGetter,
  trace as traceApi
} from '@opentelemetry/api'
import { endSpan } from './instrument/calls.ts'
import tracer from './register.ts'
import type { AnySpan } from './trace/tracer.ts'
import { SDK_VERSION } from './version.ts'

const FLUSH_WAIT_MS = 1_000
/** More messages of one batch are not linked. */
const LINKS_MAX = 128

export interface LambdaContext {
  readonly functionName?: string
  readonly functionVersion?: string
  readonly invokedFunctionArn?: string
  readonly awsRequestId?: string
}

type Callback = (error?: unknown, result?: unknown) => void
// biome-ignore lint/suspicious/noExplicitAny: events have any shape
type Handler = (event: any, context: any, callback: any) => any

interface LambdaEvent {
  readonly headers?: Record<string, string | undefined>
  readonly httpMethod?: string
  readonly requestContext?: { readonly http?: { readonly method?: string }; readonly elb?: unknown }
  readonly routeKey?: string
  readonly resource?: string
  readonly Records?: readonly LambdaRecord[]
}

interface LambdaRecord {
  readonly eventSource?: string
  readonly EventSource?: string
  readonly messageAttributes?: Record<string, { stringValue?: string }>
  readonly Sns?: { readonly MessageAttributes?: Record<string, { Value?: string }> }
}

let isColdStart = true

/** The runtime's mark on what `awslambda.streamifyResponse` has made: its handler takes (event, stream, context). */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')

/**
 * The same handler, traced. Takes handlers that return, that return a promise, that call back, and that stream.
 * It has as many parameters: the runtime of Node 24 and later refuses a handler that has three.
 */
export function wrapHandler<Fn extends Handler>(handler: Fn): Fn {
  if (typeof handler !== 'function') return handler
  const streams = Object.hasOwn(handler, STREAMING)
  const call = (args: unknown[]): unknown => Reflect.apply(handler, undefined, args)
  const wrapped = (...args: unknown[]): unknown => {
    const [event, second, third] = args
    let begun: { span: AnySpan; active: Context }
    try {
      begun = begin(
        (event ?? {}) as LambdaEvent,
        ((streams ? third : second) ?? {}) as LambdaContext
      )
    } catch {
      // An event of a shape that nobody knows: the function answers it all the same.
      return call(args)
    }
    const { span, active } = begun
    let calledBack = false
    const traced: Callback = (error, result) => {
      calledBack = true
      void finish(span, error).then(() => (third as Callback)(error, result))
    }
    if (!streams && typeof third === 'function') args[2] = traced
    let result: unknown
    try {
      result = contextApi.with(active, () => call(args))
    } catch (error) {
      return finish(span, error).then(() => Promise.reject(error))
    }
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
      return (result as PromiseLike<unknown>).then(
        (value) => (calledBack ? value : finish(span).then(() => value)),
        (error) => finish(span, error).then(() => Promise.reject(error))
      )
    }
    // Three parameters: it calls back later. Fewer: this was all.
    if ((!streams && handler.length >= 3) || calledBack) return undefined
    return finish(span).then(() => result)
  }
  Object.defineProperty(wrapped, 'length', { value: handler.length, configurable: true })
  // Marks on the handler, such as that of response streaming, are the runtime's.
  return Object.assign(wrapped, handler) as unknown as Fn
}

function begin(event: LambdaEvent, lambda: LambdaContext): { span: AnySpan; active: Context } {
  const parent = propagation.extract(contextApi.active(), event.headers ?? {}, HEADERS)
  const trigger = triggerOf(event)
  const span = traceApi.getTracer('@spanloom/tracer/lambda', SDK_VERSION).startSpan(
    lambda.functionName ?? 'lambda',
    {
      kind: trigger === 'pubsub' ? SpanKind.CONSUMER : SpanKind.SERVER,
      links: linksOf(event),
      attributes: {
        'faas.trigger': trigger,
        'faas.coldstart': isColdStart,
        ...(lambda.awsRequestId ? { 'faas.invocation_id': lambda.awsRequestId } : {}),
        ...(lambda.invokedFunctionArn ? { 'cloud.resource_id': lambda.invokedFunctionArn } : {}),
        ...httpFacts(event)
      }
    },
    parent
  )
  isColdStart = false
  return { span: span as AnySpan, active: traceApi.setSpan(parent, span) }
}

/** Never rejects: the invocation's outcome is the handler's. */
async function finish(span: AnySpan, error?: unknown): Promise<void> {
  if (error !== undefined && error !== null) span.recordException(error as Error)
  endSpan(span, error)
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_WAIT_MS)
  })
  await Promise.race([tracer.flush().catch(() => {}), waited])
  clearTimeout(timer)
}

function triggerOf(event: LambdaEvent): 'http' | 'pubsub' | 'datasource' | 'other' {
  if (event.requestContext !== undefined || event.httpMethod !== undefined) return 'http'
  const source = event.Records?.[0]?.eventSource ?? event.Records?.[0]?.EventSource
  if (source === undefined) return 'other'
  return /sqs|sns|kinesis|kafka/.test(source) ? 'pubsub' : 'datasource'
}

function httpFacts(event: LambdaEvent): Record<string, string> {
  const method = event.httpMethod ?? event.requestContext?.http?.method
  const route = event.resource ?? event.routeKey?.replace(/^[A-Z]+ /, '')
  return {
    ...(method === undefined ? {} : { 'http.request.method': method }),
    ...(route?.startsWith('/') ? { 'http.route': route } : {})
  }
}

/** The senders of a batch's messages. */
function linksOf(event: LambdaEvent): Link[] {
  const links: Link[] = []
  for (const record of event.Records?.slice(0, LINKS_MAX) ?? []) {
    const carrier: Record<string, string | undefined> = {}
    for (const [key, { stringValue }] of Object.entries(record.messageAttributes ?? {})) {
      carrier[key.toLowerCase()] = stringValue
    }
    for (const [key, { Value }] of Object.entries(record.Sns?.MessageAttributes ?? {})) {
      carrier[key.toLowerCase()] = Value
    }
    const sender = traceApi.getSpanContext(propagation.extract(NO_CONTEXT, carrier, HEADERS))
    if (sender !== undefined) links.push({ context: sender })
  }
  return links
}

const NO_CONTEXT = traceApi.deleteSpan(contextApi.active())

/** API Gateway keeps the case in which the client wrote the names. */
const HEADERS: TextMapGetter<Record<string, string | undefined>> = {
  keys: (carrier) => Object.keys(carrier),
  get(carrier, key) {
    const exact = carrier[key]
    if (exact !== undefined) return exact
    const name = Object.keys(carrier).find((each) => each.toLowerCase() === key)
    return name === undefined ? undefined : carrier[name]
  }
}
