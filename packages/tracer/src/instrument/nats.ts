/**
 * nats 2 and @nats-io/nats-core 3 (what @nats-io/transport-node and the others are made of), by the connection
 * and the protocol below it:
 *
 *   publish         `send`, ended at once; its context goes into the message's headers
 *   request         `send`, ended by the answer; JetStream's publish is one, answered by its acknowledgement
 *   callback        `process`, ended when it has returned or its promise has settled
 *   for await       `process`, from when the message is handed out until the next is asked for, active in the
 *                   body of the loop (message-loop.ts)
 *   consume, fetch  of JetStream's pull consumers: the same two, by the stream's name
 *
 * Answers go to an inbox and have no span: they are a part of `process`, and of the `send` that waits for them.
 * Nor has what begins with `$`, which is between client and server.
 *
 * The headers that are sent are ours in front of the app's, whose object is not changed: it may be that of a
 * message that is passed on, with the context of its first sender.
 *
 * Limits: a server without headers gets no context. JetStream's older `subscribe` has no `process` span.
 */
import { MESSAGING_CONSUMER_GROUP_NAME, SERVER_ADDRESS, SERVER_PORT } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, endWithResult, wrapMethod } from './calls.ts'
import { announce, type Instruments, injectHeaders } from './instruments.ts'
import { watchLoop } from './message-loop.ts'
import {
  type BegunMessage,
  handleMessage,
  startProcess,
  startSend,
  textHeaders
} from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface Protocol {
  readonly info?: { readonly headers?: boolean }
  readonly options?: { readonly inboxPrefix?: string }
  readonly server?: { readonly hostname?: string; readonly port?: number }
}

interface Connection {
  readonly protocol?: Protocol
}

interface MessageHeaders {
  encode(): Uint8Array
  get?(name: string): string
}

interface PublishOptions {
  readonly headers?: MessageHeaders
}

interface Message {
  readonly headers?: MessageHeaders
}

/** JetStream's, which knows where it comes from. */
interface StoredMessage extends Message {
  readonly info?: { readonly stream?: string; readonly consumer?: string }
}

interface Pull {
  callback?: AnyFunction | null
  [WATCHED]?: true
}

interface Subscription {
  readonly subject?: string
  readonly queue?: string
  readonly noIterator?: boolean
  callback: AnyFunction
  iterate?: () => AsyncIterator<Message>
}

const SYSTEM = 'nats'
const WATCHED = Symbol('spanloom.watched')

/** The span of the request whose message is being published, if one is. */
let requesting: AnySpan | undefined

const nats: Instrumentation = {
  patches: {
    connection: (exports, instruments) => {
      const { prototype } = (exports as { NatsConnectionImpl: { prototype: object } })
        .NatsConnectionImpl
      wrapMethod(prototype, 'request', (request) =>
        requestOf(request, instruments, (span, call) => endWithResult(span, call))
      )
      wrapMethod(prototype, 'requestMany', (request) => requestOf(request, instruments, endOfAll))
    },
    protocol: (exports, instruments) => {
      const { prototype } = (exports as { ProtocolHandler: { prototype: object } }).ProtocolHandler
      wrapMethod(prototype, 'publish', (publish) => publishOf(publish, instruments))
      wrapMethod(
        prototype,
        'subscribe',
        (subscribe) =>
          function (this: Protocol, subscription: Subscription) {
            try {
              watch(this, subscription, instruments)
            } catch (fault) {
              instruments.guard.report('nats subscribe', fault)
            }
            return subscribe.call(this, subscription)
          }
      )
    },
    jetstream: (exports, instruments) => {
      const { prototype } = (exports as { PullConsumerMessagesImpl: { prototype: object } })
        .PullConsumerMessagesImpl
      patchPulls(prototype, instruments)
    }
  }
}

export default nats

/** Subjects of the app's: no inbox, and nothing of the server's. */
function isTraced(protocol: Protocol | undefined, subject: unknown): subject is string {
  if (typeof subject !== 'string' || subject === '' || subject.startsWith('$')) return false
  return !subject.startsWith(`${protocol?.options?.inboxPrefix ?? '_INBOX'}.`)
}

function beginSend(
  protocol: Protocol | undefined,
  subject: unknown,
  instruments: Instruments
): AnySpan | undefined {
  try {
    if (!isTraced(protocol, subject)) return undefined
    const span = startSend(instruments, SYSTEM, subject)
    if (span === undefined) return undefined
    putServer(span, protocol)
    announce(instruments, span)
    return span
  } catch (fault) {
    instruments.guard.report('nats publish', fault)
    return undefined
  }
}

function putServer(span: AnySpan, protocol: Protocol | undefined): void {
  const { hostname, port } = protocol?.server ?? {}
  if (!(span instanceof RecordingSpan) || hostname === undefined) return
  span.put(SERVER_ADDRESS, hostname)
  if (port !== undefined) span.put(SERVER_PORT, port)
}

function publishOf(publish: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: Protocol, subject: unknown, data: unknown, options?: PublishOptions) {
    const span = requesting ?? beginSend(this, subject, instruments)
    if (span === undefined) return publish.call(this, subject, data, options)
    try {
      const headers = this.info?.headers === true ? carried(span, options, instruments) : undefined
      const given = headers === undefined ? options : { ...options, headers }
      const result: unknown = publish.call(this, subject, data, given)
      if (requesting === undefined) span.end()
      return result
    } catch (error) {
      endSpan(span, error)
      throw error
    }
  }
}

function requestOf(
  request: AnyFunction,
  instruments: Instruments,
  finish: (span: AnySpan, call: () => unknown) => unknown
): AnyFunction {
  return function (this: Connection, ...args: unknown[]): unknown {
    const span = beginSend(this.protocol, args[0], instruments)
    if (span === undefined) return request.apply(this, args)
    return finish(span, () => {
      const outer = requesting
      requesting = span
      try {
        return request.apply(this, args)
      } finally {
        requesting = outer
      }
    })
  }
}

/** Of many answers: when no more are waited for. */
function endOfAll(span: AnySpan, call: () => unknown): unknown {
  type Answers = { readonly iterClosed?: PromiseLike<unknown> }
  let result: Promise<Answers>
  try {
    result = call() as Promise<Answers>
  } catch (error) {
    endSpan(span, error)
    throw error
  }
  return result.then(
    (answers) => {
      const end = (error?: unknown) => endSpan(span, error)
      if (answers?.iterClosed === undefined) end()
      else answers.iterClosed.then(end, end)
      return answers
    },
    (error) => {
      endSpan(span, error)
      throw error
    }
  )
}

const FIRST_LINE = 'NATS/1.0\r\n'

/** The first of two headers of one name is the one that is read. */
function carried(
  span: AnySpan,
  options: PublishOptions | undefined,
  instruments: Instruments
): MessageHeaders | undefined {
  let text = ''
  try {
    injectHeaders(instruments, span, (name, value) => {
      text += `${name}: ${value}\r\n`
    })
  } catch (fault) {
    instruments.guard.report('nats headers', fault)
  }
  if (text === '') return undefined
  return {
    encode() {
      const theirs = options?.headers?.encode()
      // Headers without any are no bytes.
      if (theirs === undefined || theirs.length === 0)
        return Buffer.from(`${FIRST_LINE}${text}\r\n`)
      const bytes = Buffer.from(theirs.buffer, theirs.byteOffset, theirs.byteLength)
      const at = bytes.indexOf('\r\n') + 2
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)])
    }
  }
}

/** Clients in other languages write names with capitals. */
function headerOf(headers: object, name: string): unknown {
  const { get } = headers as MessageHeaders
  if (typeof get !== 'function') return undefined
  const read = (each: string) => get.call(headers, each)
  return read(name) || read(name.charAt(0).toUpperCase() + name.slice(1)) || undefined
}

function watch(protocol: Protocol, subscription: Subscription, instruments: Instruments): void {
  if (!isTraced(protocol, subscription.subject)) return
  const begin = (message: Message) => beginProcess(protocol, subscription, message, instruments)
  if (subscription.noIterator !== true) {
    const { iterate } = subscription
    if (typeof iterate !== 'function') return
    subscription.iterate = () => watchLoop(instruments, iterate.call(subscription), begin)
    return
  }
  const { callback } = subscription
  subscription.callback = function (this: unknown, error: unknown, message: Message) {
    const begun = error ? undefined : begin(message)
    return handled(begun, instruments, () => callback.call(this, error, message))
  }
}

function patchPulls(prototype: object, instruments: Instruments): void {
  const begin = (message: StoredMessage) => beginStored(message, instruments)
  wrapMethod(
    prototype,
    'iterate',
    (iterate) =>
      function (this: object) {
        return watchLoop<StoredMessage>(instruments, iterate.call(this), begin)
      }
  )
  // The callback is set in the constructor and called in here.
  wrapMethod(
    prototype,
    '_push',
    (push) =>
      function (this: Pull, ...args: unknown[]) {
        const { callback } = this
        if (typeof callback === 'function' && this[WATCHED] === undefined) {
          this[WATCHED] = true
          this.callback = (message: StoredMessage) =>
            handled(begin(message), instruments, () => callback.call(this, message))
        }
        return push.apply(this, args)
      }
  )
}

function handled(begun: BegunMessage | undefined, instruments: Instruments, handle: () => unknown) {
  if (begun === undefined) return handle()
  const { span, headers } = begun
  return handleMessage(instruments, span, headers, handle)
}

function beginProcess(
  protocol: Protocol,
  { subject, queue }: Subscription,
  message: Message,
  instruments: Instruments
): BegunMessage | undefined {
  // The subscription's subject, with its wildcards: those of messages may hold ids.
  return beginMessage(subject!, queue, message, protocol, instruments)
}

function beginStored(message: StoredMessage, instruments: Instruments): BegunMessage | undefined {
  const { stream, consumer } = message.info ?? {}
  return beginMessage(stream ?? 'jetstream', consumer, message, undefined, instruments)
}

function beginMessage(
  destination: string,
  group: string | undefined,
  message: Message,
  protocol: Protocol | undefined,
  instruments: Instruments
): BegunMessage | undefined {
  try {
    const headers = textHeaders(instruments, message.headers, headerOf)
    const span = startProcess(instruments, SYSTEM, destination, headers)
    if (span instanceof RecordingSpan && group) span.put(MESSAGING_CONSUMER_GROUP_NAME, group)
    putServer(span, protocol)
    announce(instruments, span)
    return { span, headers }
  } catch (fault) {
    instruments.guard.report('nats message', fault)
    return undefined
  }
}
