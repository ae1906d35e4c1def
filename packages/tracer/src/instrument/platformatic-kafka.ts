/**
 * @platformatic/kafka, by its classes: `Producer.send` and the stream of messages. Its diagnostics channels
 * hand out the app's own messages and tell of one before the app takes it from the stream's buffer, so
 * they can neither carry a context on nor say when a message is worked on.
 *
 *   send             `send`, one for each topic; the context in every message's headers
 *   on('data')       `process` for each message, active in the listeners, ended when they have returned
 *   for await        `process` for each message, from when it is handed out until the next is asked for,
 *                    active in the body of the loop (message-loop.ts)
 */
import { MESSAGING_BATCH_MESSAGE_COUNT } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import {
  type AnyFunction,
  endSpan,
  endWithResult,
  inContext,
  runWithSpan,
  wrapMethod
} from './calls.ts'
import { announce, type Instruments, injectHeaders } from './instruments.ts'
import { describeKafka, KAFKA } from './kafka-words.ts'
import { watchLoop } from './message-loop.ts'
import {
  type BegunMessage,
  handleMessage,
  startProcess,
  startSend,
  textHeaders
} from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface Message {
  readonly topic: string
  readonly key?: unknown
  readonly headers?: Map<unknown, unknown> | Record<string, unknown>
}

interface Received extends Message {
  readonly partition: number
  readonly offset: bigint
}

interface Serializers {
  readonly headerKey?: unknown
  readonly headerValue?: unknown
}

const platformatic: Instrumentation = {
  patches: {
    producer(exports, instruments) {
      const { prototype } = (exports as { Producer: { prototype: object } }).Producer
      wrapMethod(prototype, 'send', (send) => sending(send, instruments))
    },
    stream(exports, instruments) {
      const { prototype } = (exports as { MessagesStream: { prototype: object } }).MessagesStream
      wrapMethod(prototype, 'emit', (emit) => emitting(emit, instruments))
      const holder = prototype as Record<symbol, AnyFunction>
      const iterate = holder[Symbol.asyncIterator]!
      holder[Symbol.asyncIterator] = function (this: object) {
        return watchLoop<Received>(instruments, iterate.call(this), (message) =>
          begin(this, message, instruments)
        )
      }
    }
  }
}

export default platformatic

function sending(original: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: object, ...args: unknown[]): unknown {
    let spans: readonly AnySpan[] = []
    try {
      spans = beginSend(this, args, instruments)
    } catch (fault) {
      instruments.guard.report('@platformatic/kafka send', fault)
    }
    const [first] = spans
    if (first === undefined) return original.apply(this, args)
    const end = (error: unknown) => {
      for (const span of spans) endSpan(span, error)
    }
    const call = () => runWithSpan(instruments, first, () => original.apply(this, args))
    const callback = args[1]
    if (typeof callback === 'function') {
      const bound = inContext(instruments.contexts.storage, callback as AnyFunction)
      args[1] = Object.assign((error: unknown, ...rest: unknown[]) => {
        end(error)
        return bound(error, ...rest)
      }, callback)
      return call()
    }
    return spans.reduce<() => unknown>((inner, span) => () => endWithResult(span, inner), call)()
  }
}

/** Puts copies of the messages in place of the app's. */
function beginSend(
  producer: object,
  args: unknown[],
  instruments: Instruments
): readonly AnySpan[] {
  const options = args[0] as { readonly messages?: readonly Message[] } | undefined
  const { messages } = options ?? {}
  if (!Array.isArray(messages)) return []
  const byTopic = new Map<string, { span: AnySpan; count: number; headers: [unknown, unknown][] }>()
  const carried = messages.map((message: Message) => {
    let known = byTopic.get(message.topic)
    if (known === undefined) {
      const span = startSend(instruments, KAFKA, message.topic)
      if (span === undefined) return message
      known = { span, count: 0, headers: headersOf(producer, span, instruments) }
      byTopic.set(message.topic, known)
      if (messages.length === 1) describeKafka(span, { group: undefined, key: message.key })
    }
    known.count++
    const { headers } = message
    const own = headers instanceof Map ? headers : Object.entries(headers ?? {})
    return { ...message, headers: new Map<unknown, unknown>([...own, ...known.headers]) }
  })
  args[0] = { ...options, messages: carried }
  return [...byTopic.values()].map(({ span, count }) => {
    if (count > 1 && span instanceof RecordingSpan) span.put(MESSAGING_BATCH_MESSAGE_COUNT, count)
    announce(instruments, span)
    return span
  })
}

/** What a producer without serializers takes are buffers; with them, what they take: text. */
function headersOf(
  producer: object,
  span: AnySpan,
  instruments: Instruments
): [unknown, unknown][] {
  const { headerKey, headerValue } = serializersOf(producer)
  const headers: [unknown, unknown][] = []
  injectHeaders(instruments, span, (name, value) => {
    const key = headerKey === undefined ? Buffer.from(name) : name
    headers.push([key, headerValue === undefined ? Buffer.from(value) : value])
  })
  return headers
}

const optionKeys = new WeakMap<object, symbol>()

function serializersOf(producer: object): Serializers {
  const made = producer.constructor
  let key = optionKeys.get(made)
  if (key === undefined) {
    key = Object.getOwnPropertySymbols(producer).find(
      ({ description }) => description === 'plt.kafka.base.options'
    )
    if (key === undefined) return {}
    optionKeys.set(made, key)
  }
  const options = (producer as Record<symbol, { serializers?: Serializers } | undefined>)[key]
  return options?.serializers ?? {}
}

function begin(
  stream: object,
  message: Received,
  instruments: Instruments
): BegunMessage | undefined {
  try {
    const headers = textHeaders(instruments, message.headers, getHeader)
    const span = startProcess(instruments, KAFKA, message.topic, headers)
    const { consumer } = stream as { consumer?: { groupId?: string } }
    const { partition, offset, key } = message
    describeKafka(span, { group: consumer?.groupId, partition, offset, key })
    announce(instruments, span)
    return { span, headers }
  } catch (fault) {
    instruments.guard.report('@platformatic/kafka message', fault)
    return undefined
  }
}

/** Without deserializers the keys are buffers, which a Map does not find. */
function getHeader(headers: object, name: string): unknown {
  if (!(headers instanceof Map)) return undefined
  const direct = headers.get(name)
  if (direct !== undefined) return direct
  for (const [key, value] of headers) {
    if (Buffer.isBuffer(key) && key.toString() === name) return value
  }
  return undefined
}

function emitting(emit: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: object, ...args: unknown[]): unknown {
    // A loop's reads emit it as well, with nobody listening.
    const { listenerCount } = this as { listenerCount?: AnyFunction }
    if (args[0] !== 'data' || !listenerCount?.call(this, 'data')) return emit.apply(this, args)
    const begun = begin(this, args[1] as Received, instruments)
    if (begun === undefined) return emit.apply(this, args)
    const { span, headers } = begun
    return handleMessage(instruments, span, headers, () => emit.apply(this, args))
  }
}
