/**
 * kafkajs: the producers and consumers that a client makes are objects of closures, so they are wrapped as
 * they are made.
 *
 *   send, sendBatch   `send`, one for each topic; its context goes into every message's headers
 *   eachMessage       `process`, a child of the sender and linked to it
 *   eachBatch         `process`, a root with a link to the sender of each message
 */
import { MESSAGING_BATCH_MESSAGE_COUNT } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, endWithResult, runWithSpan, wrapMethod } from './calls.ts'
import { announce, type Instruments, injectHeaders } from './instruments.ts'
import { describeKafka, KAFKA } from './kafka-words.ts'
import {
  handleMessage,
  startProcess,
  startProcessBatch,
  startSend,
  textHeaders
} from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface Message {
  readonly key?: unknown
  readonly headers?: Record<string, unknown>
  readonly offset?: string
}

interface TopicMessages {
  readonly topic: string
  readonly messages: readonly Message[]
}

interface MessagePayload {
  readonly topic: string
  readonly partition: number
  readonly message: Message
}

interface BatchPayload {
  readonly batch: {
    readonly topic: string
    readonly partition: number
    readonly messages: readonly Message[]
  }
}

const kafkajs: Instrumentation = {
  patches: {
    client(exports, instruments) {
      const { prototype } = exports as { prototype: object }
      wrapMethod(
        prototype,
        'producer',
        (make) =>
          function (this: unknown, ...args: unknown[]): unknown {
            const producer = make.apply(this, args)
            instruments.guard.wrap('kafkajs producer', () => {
              wrapSends(producer, instruments)
              wrapMethod(producer, 'transaction', (begin) => async (...rest: unknown[]) => {
                const transaction = await begin(...rest)
                wrapSends(transaction, instruments)
                return transaction
              })
            })()
            return producer
          }
      )
      wrapMethod(
        prototype,
        'consumer',
        (make) =>
          function (this: unknown, ...args: unknown[]): unknown {
            const consumer = make.apply(this, args)
            const group = (args[0] as { groupId?: string } | undefined)?.groupId
            wrapMethod(consumer, 'run', (run) => (config?: Record<string, unknown>) => {
              return run(handling(config, group, instruments))
            })
            return consumer
          }
      )
    }
  }
}

export default kafkajs

function wrapSends(producer: object, instruments: Instruments): void {
  wrapMethod(producer, 'send', (send) => (record: TopicMessages) => {
    const sent = begin([record], instruments)
    if (sent === undefined) return send(record)
    const carried = { ...record, ...sent.topics[0] }
    return finish(sent.spans, instruments, () => send(carried))
  })
  wrapMethod(producer, 'sendBatch', (send) => (batch: { topicMessages?: TopicMessages[] }) => {
    const sent = begin(batch?.topicMessages ?? [], instruments)
    if (sent === undefined) return send(batch)
    return finish(sent.spans, instruments, () => send({ ...batch, topicMessages: sent.topics }))
  })
}

interface Sent {
  readonly spans: readonly AnySpan[]
  readonly topics: readonly TopicMessages[]
}

/** Copies of the messages: the app may send its own again. */
function begin(topics: readonly TopicMessages[], instruments: Instruments): Sent | undefined {
  const spans: AnySpan[] = []
  try {
    const carried = topics.map(({ topic, messages }) => {
      const span = startSend(instruments, KAFKA, topic)
      if (span === undefined) return { topic, messages }
      spans.push(span)
      const [first] = messages
      if (messages.length === 1) describeKafka(span, { group: undefined, key: first?.key })
      else if (span instanceof RecordingSpan) {
        span.put(MESSAGING_BATCH_MESSAGE_COUNT, messages.length)
      }
      announce(instruments, span)
      const headers: Record<string, string> = {}
      injectHeaders(instruments, span, (name, value) => {
        headers[name] = value
      })
      return {
        topic,
        messages: messages.map((message) => ({
          ...message,
          headers: { ...message.headers, ...headers }
        }))
      }
    })
    return spans.length === 0 ? undefined : { spans, topics: carried }
  } catch (fault) {
    // Arguments that the library will refuse, too.
    for (const span of spans) endSpan(span, fault)
    return undefined
  }
}

interface RecordMetadata {
  readonly topicName?: string
  readonly partition?: number
  readonly baseOffset?: string
}

function finish(spans: readonly AnySpan[], instruments: Instruments, send: () => unknown): unknown {
  const [first, ...others] = spans
  const call = () => runWithSpan(instruments, first!, send)
  const told = (value: unknown) => {
    const [where, second] = (Array.isArray(value) ? value : []) as RecordMetadata[]
    if (where === undefined || second !== undefined) return
    describeKafka(first!, {
      group: undefined,
      partition: where.partition,
      offset: where.baseOffset
    })
  }
  return others.reduce<() => unknown>(
    (inner, span) => () => endWithResult(span, inner),
    () => endWithResult(first!, call, told)
  )()
}

function handling(
  config: Record<string, unknown> | undefined,
  group: string | undefined,
  instruments: Instruments
): Record<string, unknown> | undefined {
  const { eachMessage, eachBatch } = config ?? {}
  const wrapped = { ...config }
  if (typeof eachMessage === 'function') {
    wrapped.eachMessage = onMessage(eachMessage as AnyFunction, group, instruments)
  }
  if (typeof eachBatch === 'function') {
    wrapped.eachBatch = onBatch(eachBatch as AnyFunction, group, instruments)
  }
  return config === undefined ? undefined : wrapped
}

function onMessage(
  handler: AnyFunction,
  group: string | undefined,
  instruments: Instruments
): AnyFunction {
  return (payload: MessagePayload) => {
    let span: AnySpan | undefined
    const headers = textHeaders(instruments, payload.message?.headers)
    try {
      const { topic, partition, message } = payload
      span = startProcess(instruments, KAFKA, topic, headers)
      describeKafka(span, { group, partition, offset: message.offset, key: message.key })
      announce(instruments, span)
    } catch (fault) {
      instruments.guard.report('kafkajs eachMessage', fault)
    }
    if (span === undefined) return handler(payload)
    return handleMessage(instruments, span, headers, () => handler(payload))
  }
}

function onBatch(
  handler: AnyFunction,
  group: string | undefined,
  instruments: Instruments
): AnyFunction {
  return (payload: BatchPayload) => {
    let span: AnySpan | undefined
    try {
      const { topic, partition, messages } = payload.batch
      const batch = messages.map(({ headers }) => textHeaders(instruments, headers))
      span = startProcessBatch(instruments, KAFKA, topic, batch)
      describeKafka(span, { group, partition, offset: messages[0]?.offset })
      announce(instruments, span)
    } catch (fault) {
      instruments.guard.report('kafkajs eachBatch', fault)
    }
    if (span === undefined) return handler(payload)
    return handleMessage(instruments, span, undefined, () => handler(payload))
  }
}
