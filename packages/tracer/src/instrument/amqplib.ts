/**
 * amqplib, callbacks and promises alike: the methods of the two APIs' channel classes are wrapped.
 *
 *   publish, sendToQueue   `send`, ended at once; on a confirm channel when the broker has answered
 *   consume                `process`, ended when the handler's promise has settled; of a handler that
 *                          returns none, when the message is acknowledged or refused
 *   get                    `receive`, with a link to the sender
 *
 * The destination is the exchange, or for the default exchange the queue, so that both sides say the same.
 * Messages that wait for their acknowledgement are bounded: a span over OPEN_MAX ends with its handler.
 */
import {
  MESSAGING_MESSAGE_ID,
  MESSAGING_RABBITMQ_DELIVERY_TAG,
  MESSAGING_RABBITMQ_ROUTING_KEY
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, inContext, wrapMethod } from './calls.ts'
import { announce, type Instruments, injectHeaders } from './instruments.ts'
import {
  linkToSender,
  runAsConsumer,
  startProcess,
  startReceive,
  startSend,
  textHeaders
} from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface Options {
  readonly headers?: Record<string, unknown>
  readonly messageId?: string
  readonly noAck?: boolean
}

interface Message {
  readonly fields: {
    readonly exchange: string
    readonly routingKey: string
    readonly deliveryTag: number
  }
  readonly properties: { readonly headers?: unknown; readonly messageId?: unknown }
}

interface ChannelClasses {
  readonly Channel: { readonly prototype: object }
  readonly ConfirmChannel: { readonly prototype: object }
}

const SYSTEM = 'rabbitmq'
/** Spans of a channel that wait for their messages' acknowledgement. */
const OPEN_MAX = 1_000

type OpenSpans = Map<number, AnySpan>

const amqplib: Instrumentation = {
  patches: {
    model(exports, instruments) {
      const { Channel, ConfirmChannel } = exports as ChannelClasses
      const open = new WeakMap<object, OpenSpans>()
      patchPublish(Channel.prototype, ConfirmChannel.prototype, instruments)
      patchConsume(Channel.prototype, instruments, open)
      patchGet(Channel.prototype, instruments)
      patchAcknowledgements(Channel.prototype, instruments, open)
    }
  }
}

export default amqplib

function patchPublish(plain: object, confirming: object, instruments: Instruments): void {
  /** A confirm channel's publish calls the plain one's, which then has nothing to add. */
  let inside = false
  const wrap = (confirms: boolean) => (publish: AnyFunction) =>
    function (this: object, ...args: unknown[]): unknown {
      const span = inside ? undefined : beginSend(args, instruments)
      if (span === undefined) return publish.apply(this, args)
      if (confirms) args[4] = confirmed(args[4], span, instruments)
      inside = confirms
      try {
        const result = publish.apply(this, args)
        if (!confirms) span.end()
        return result
      } catch (error) {
        endSpan(span, error)
        throw error
      } finally {
        inside = false
      }
    }
  wrapMethod(plain, 'publish', wrap(false))
  wrapMethod(confirming, 'publish', wrap(true))
}

/** Puts headers of ours beside the app's, in an object of ours: the app may use its own again. */
function beginSend(args: unknown[], instruments: Instruments): AnySpan | undefined {
  try {
    const [exchange, routingKey, , options] = args as [unknown, unknown, unknown, Options?]
    const destination = String(exchange || routingKey)
    const span = startSend(instruments, SYSTEM, destination)
    if (span === undefined) return undefined
    if (span instanceof RecordingSpan) {
      span.put(MESSAGING_RABBITMQ_ROUTING_KEY, String(routingKey))
      if (typeof options?.messageId === 'string') span.put(MESSAGING_MESSAGE_ID, options.messageId)
    }
    announce(instruments, span)
    const headers: Record<string, unknown> = { ...options?.headers }
    injectHeaders(instruments, span, (name, value) => {
      headers[name] = value
    })
    args[3] = { ...options, headers }
    return span
  } catch (fault) {
    instruments.guard.report('amqplib publish', fault)
    return undefined
  }
}

function confirmed(callback: unknown, span: AnySpan, { contexts }: Instruments): AnyFunction {
  const bound =
    typeof callback === 'function'
      ? inContext(contexts.storage, callback as AnyFunction)
      : undefined
  return function (this: unknown, error: unknown, ...rest: unknown[]) {
    endSpan(span, error)
    return bound?.call(this, error, ...rest)
  }
}

function patchConsume(
  prototype: object,
  instruments: Instruments,
  open: WeakMap<object, OpenSpans>
): void {
  wrapMethod(
    prototype,
    'consume',
    (consume) =>
      function (this: object, ...args: unknown[]): unknown {
        const handler = args[1]
        const noAck = (args[2] as Options | undefined)?.noAck === true
        if (typeof handler === 'function') {
          const waits = noAck ? undefined : openSpans(this, open)
          args[1] = handling(handler as AnyFunction, waits, instruments)
        }
        return consume.apply(this, args)
      }
  )
}

function openSpans(channel: object, open: WeakMap<object, OpenSpans>): OpenSpans {
  let spans = open.get(channel)
  if (spans !== undefined) return spans
  spans = new Map()
  open.set(channel, spans)
  const { once } = channel as { once?: AnyFunction }
  const endAll = () => settle(spans, undefined, undefined)
  if (typeof once === 'function') once.call(channel, 'close', endAll)
  return spans
}

function handling(
  handler: AnyFunction,
  waits: OpenSpans | undefined,
  instruments: Instruments
): AnyFunction {
  return function (this: unknown, message: Message | null, ...rest: unknown[]): unknown {
    let span: AnySpan | undefined
    const headers = textHeaders(instruments, message?.properties?.headers)
    try {
      // The broker tells with null that it has cancelled the consumer.
      if (message !== null) span = beginProcess(message, headers, instruments)
    } catch (fault) {
      instruments.guard.report('amqplib consume', fault)
    }
    if (span === undefined) return handler.call(this, message, ...rest)
    const begun = span
    const tag = message!.fields.deliveryTag
    const isWaiting = waits !== undefined && waits.size < OPEN_MAX
    if (isWaiting) waits.set(tag, begun)
    const end = (error?: unknown) => {
      waits?.delete(tag)
      endSpan(begun, error)
    }
    let result: unknown
    try {
      result = runAsConsumer(instruments, begun, headers, () =>
        handler.call(this, message, ...rest)
      )
    } catch (error) {
      end(error)
      throw error
    }
    if (result instanceof Promise) {
      // From here on the promise tells, not the acknowledgement.
      waits?.delete(tag)
      // The library takes no notice of the promise: a rejection stays unhandled, as without us.
      return result.then(
        () => end(),
        (error) => {
          end(error)
          throw error
        }
      )
    }
    if (!isWaiting) end()
    return result
  }
}

function beginProcess(
  message: Message,
  headers: ReturnType<typeof textHeaders>,
  instruments: Instruments
): AnySpan {
  const { exchange, routingKey, deliveryTag } = message.fields
  const span = startProcess(instruments, SYSTEM, exchange || routingKey, headers)
  if (span instanceof RecordingSpan) {
    span.put(MESSAGING_RABBITMQ_ROUTING_KEY, routingKey)
    span.put(MESSAGING_RABBITMQ_DELIVERY_TAG, deliveryTag)
    const { messageId } = message.properties
    if (typeof messageId === 'string') span.put(MESSAGING_MESSAGE_ID, messageId)
  }
  announce(instruments, span)
  return span
}

function patchAcknowledgements(
  prototype: object,
  { guard }: Instruments,
  open: WeakMap<object, OpenSpans>
): void {
  const told = (name: string, tell: (spans: OpenSpans, args: unknown[]) => void) =>
    wrapMethod(
      prototype,
      name,
      (original) =>
        function (this: object, ...args: unknown[]): unknown {
          const result = original.apply(this, args)
          const spans = open.get(this)
          try {
            if (spans !== undefined && spans.size > 0) tell(spans, args)
          } catch (fault) {
            guard.report(`amqplib ${name}`, fault)
          }
          return result
        }
    )
  const tagOf = (args: unknown[]) => (args[0] as Message).fields.deliveryTag
  told('ack', (spans, args) => settle(spans, tagOf(args), args[1] === true))
  told('nack', (spans, args) => settle(spans, tagOf(args), args[1] === true))
  told('reject', (spans, args) => settle(spans, tagOf(args), false))
  told('ackAll', (spans) => settle(spans, undefined, undefined))
  told('nackAll', (spans) => settle(spans, undefined, undefined))
}

/** Ends the span of one message, of all up to it, or without a tag of all. */
function settle(spans: OpenSpans, tag: number | undefined, upTo: boolean | undefined): void {
  if (tag !== undefined && upTo !== true) {
    spans.get(tag)?.end()
    spans.delete(tag)
    return
  }
  for (const [each, span] of spans) {
    if (tag !== undefined && each > tag) continue
    span.end()
    spans.delete(each)
  }
}

function patchGet(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'get',
    (get) =>
      function (this: object, ...args: unknown[]): unknown {
        let span: AnySpan | undefined
        try {
          span = startReceive(instruments, SYSTEM, String(args[0]))
          if (span !== undefined) announce(instruments, span)
        } catch (fault) {
          instruments.guard.report('amqplib get', fault)
        }
        if (span === undefined) return get.apply(this, args)
        const begun = span
        const end = (error: unknown, message: unknown) => {
          if (message && begun instanceof RecordingSpan) {
            const headers = textHeaders(instruments, (message as Message).properties?.headers)
            linkToSender(instruments, begun, headers)
          }
          endSpan(begun, error)
        }
        if (typeof args[2] === 'function') {
          const bound = inContext(instruments.contexts.storage, args[2] as AnyFunction)
          args[2] = function (this: unknown, error: unknown, message: unknown) {
            end(error, message)
            return bound.call(this, error, message)
          }
          return get.apply(this, args)
        }
        const result: unknown = get.apply(this, args)
        if (!(result instanceof Promise)) {
          end(undefined, undefined)
          return result
        }
        return result.then(
          (message) => {
            end(undefined, message)
            return message
          },
          (error) => {
            end(error, undefined)
            throw error
          }
        )
      }
  )
}
