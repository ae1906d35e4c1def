/**
 * ws and socket.io, of servers: a connection lasts for hours, so its messages are traces of their own.
 *
 *   upgrade        SERVER, `GET`, ended when the app's `connection` handlers have returned, or with the status
 *                  that refused it. The runtime's channels do not tell of requests that become something else
 *   message        CONSUMER, `websocket message`, a root with a link to the upgrade, active in the listeners;
 *                  ended when they have returned and their promises have settled
 *   socket.io      CONSUMER, `process order`, by the event's name, instead of the messages below it; linked to
 *                  the connection's first request. Only events that the app listens to: clients invent names
 *
 * Nothing for what is sent, for pings, or for sockets that the app opens.
 *
 * Limits: EVENT_NAMES_MAX names of events, the others are `process (other)`. A handler set by `onmessage` or
 * `addEventListener` ends its span when it returns. What reads messages by `events.on` or as a stream is not
 * in their spans. Emitters that capture rejections are left to the runtime, without spans.
 */
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type SpanContext, SpanKind } from '@opentelemetry/api'
import {
  MESSAGING_DESTINATION_NAME,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  MESSAGING_SOCKET_IO_EVENT_NAME,
  MESSAGING_SYSTEM,
  NETWORK_PROTOCOL_NAME,
  URL_PATH
} from '@spanloom/otlp'
import { requestFrame } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, failSpan, wrapMethod } from './calls.ts'
import { describeRequest } from './http-server.ts'
import { announce, factsOf, type Instruments, startEntrySpan } from './instruments.ts'
import { runAsConsumer } from './messages.ts'
import type { Instrumentation } from './registry.ts'
import { attachServerRequest, ServerRequest, serverRequestOf } from './server-request.ts'

const EVENT_NAMES_MAX = 100
const PATH_CHARS_MAX = 512
const CONNECTION = Symbol('spanloom.connection')

interface Connection {
  readonly upgrade: SpanContext
  readonly path: string
}

interface WebSocket extends EventEmitter {
  [CONNECTION]?: Connection
}

/** engine.io has parsed the query by then. */
interface UpgradeRequest extends IncomingMessage {
  readonly _query?: { readonly EIO?: unknown }
}

interface IoSocket extends EventEmitter {
  readonly nsp?: { readonly name?: string }
  readonly request?: object
}

const webSockets: Instrumentation = {
  patches: {
    server(exports, instruments) {
      const { prototype } = exports as { prototype: object }
      wrapMethod(prototype, 'handleUpgrade', (handle) => upgrading(handle, instruments))
    },
    socket(exports, instruments) {
      const { prototype } = exports as { prototype: object }
      wrapMethod(prototype, 'emit', (emit) => emittingMessages(emit, instruments))
    },
    events(exports, instruments) {
      const { prototype } = (exports as { StrictEventEmitter: { prototype: object } })
        .StrictEventEmitter
      wrapMethod(prototype, 'emitUntyped', (emit) => emittingEvents(emit, instruments))
    }
  }
}

export default webSockets

function upgrading(handle: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    let upgrade: ServerRequest | undefined
    try {
      upgrade = beginUpgrade(args, instruments)
    } catch (fault) {
      instruments.guard.report('ws upgrade', fault)
    }
    if (upgrade === undefined) return handle.apply(this, args)
    const { frame } = upgrade
    try {
      return instruments.contexts.run(frame, () => handle.apply(this, args))
    } catch (error) {
      upgrade.recordError(error)
      upgrade.end(undefined)
      throw error
    }
  }
}

/** Stands in front of the callback, and of the socket's `end`, by which an upgrade is refused. */
function beginUpgrade(args: unknown[], instruments: Instruments): ServerRequest {
  const [request, socket] = args as [UpgradeRequest, Duplex]
  const { propagator } = instruments
  const parent = propagator.parentOf(request.headers)
  const facts = factsOf(instruments, describeRequest, request)
  const span = startEntrySpan(instruments, 'GET', SpanKind.SERVER, parent, facts)
  if (span instanceof RecordingSpan) {
    describeRequest(span, request)
    const link = propagator.linkOf(request.headers)
    if (link !== undefined) span.addLink({ context: link.spanContext() })
  }
  announce(instruments, span)
  const frame = requestFrame(span, propagator.baggageOf(request.headers))
  const upgrade = new ServerRequest(span, frame, 'GET')
  attachServerRequest(request, upgrade)
  const onClose = () => upgrade.end(undefined)
  socket.once('close', onClose)
  const own = Object.getOwnPropertyDescriptor(socket, 'end')
  const { end } = socket
  const restore = () => {
    if (own === undefined) delete (socket as Partial<Duplex>).end
    else Object.defineProperty(socket, 'end', own)
  }
  socket.end = function (this: Duplex, ...given: unknown[]) {
    restore()
    const status = /^HTTP\/1\.1 (\d{3})/.exec(String(given[0]))?.[1]
    upgrade.end(status === undefined ? undefined : Number(status))
    return Reflect.apply(end, this, given)
  } as Duplex['end']
  const done = args[3] as AnyFunction
  args[3] = function (this: unknown, webSocket: WebSocket, ...rest: unknown[]) {
    restore()
    socket.removeListener('close', onClose)
    // Of engine.io's, what socket.io makes of the messages has the spans.
    if (request._query?.EIO === undefined) {
      webSocket[CONNECTION] = { upgrade: span.spanContext(), path: pathOf(request) }
    }
    try {
      return done.call(this, webSocket, ...rest)
    } catch (error) {
      upgrade.recordError(error)
      throw error
    } finally {
      upgrade.end(SWITCHING_PROTOCOLS)
    }
  }
  return upgrade
}

const SWITCHING_PROTOCOLS = 101

function pathOf({ url = '/' }: IncomingMessage): string {
  const mark = url.indexOf('?')
  return url.slice(0, Math.min(mark < 0 ? url.length : mark, PATH_CHARS_MAX))
}

function emittingMessages(emit: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: WebSocket, ...args: unknown[]): unknown {
    const connection = args[0] === 'message' ? this[CONNECTION] : undefined
    if (connection === undefined || !isHeard(this, 'message')) return emit.apply(this, args)
    const span = begin('websocket message', connection.upgrade, instruments, (it) => {
      it.put(NETWORK_PROTOCOL_NAME, 'websocket')
      it.put(URL_PATH, connection.path)
    })
    if (span === undefined) return emit.apply(this, args)
    return callListeners(this, args, span, instruments)
  }
}

const eventNames = new Set<string>()

function emittingEvents(emit: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: IoSocket, ...args: unknown[]): unknown {
    const [event] = args
    const { nsp, request } = this
    if (typeof event !== 'string' || nsp === undefined || !isHeard(this, event)) {
      return emit.apply(this, args)
    }
    const isKnown = eventNames.has(event) || eventNames.size < EVENT_NAMES_MAX
    if (isKnown) eventNames.add(event)
    const name = isKnown ? `process ${event}` : 'process (other)'
    const first = request && serverRequestOf(request)?.span.spanContext()
    const span = begin(name, first, instruments, (it) => {
      it.put(MESSAGING_SYSTEM, 'socket.io')
      it.put(MESSAGING_DESTINATION_NAME, nsp.name ?? '/')
      it.put(MESSAGING_SOCKET_IO_EVENT_NAME, event)
      it.put(MESSAGING_OPERATION_NAME, 'process')
      it.put(MESSAGING_OPERATION_TYPE, 'process')
    })
    if (span === undefined) return emit.apply(this, args)
    return callListeners(this, args, span, instruments)
  }
}

/** Whether there is somebody to call, in the way that is done here. */
function isHeard(emitter: EventEmitter, event: string): boolean {
  if (emitter.listenerCount(event) === 0) return false
  // Then the runtime wants to see the promises.
  return !EventEmitter.captureRejections && !(EventEmitter.captureRejectionSymbol in emitter)
}

function begin(
  name: string,
  linked: SpanContext | undefined,
  instruments: Instruments,
  describe: (span: RecordingSpan) => void
): AnySpan | undefined {
  try {
    const span = startEntrySpan(instruments, name, SpanKind.CONSUMER, undefined)
    if (span instanceof RecordingSpan) {
      describe(span)
      if (linked !== undefined) span.addLink({ context: linked })
    }
    announce(instruments, span)
    return span
  } catch (fault) {
    instruments.guard.report(name, fault)
    return undefined
  }
}

/**
 * Calls them as `emit` does, which would not tell what they returned. A rejection is passed on to a promise that
 * nobody handles, as it would have been without the tracer.
 */
function callListeners(
  emitter: EventEmitter,
  [event, ...args]: unknown[],
  span: AnySpan,
  instruments: Instruments
): true {
  let open = 1
  const done = (error?: unknown) => {
    failSpan(span, error)
    if (--open === 0) span.end()
  }
  const call = () => {
    for (const listener of emitter.rawListeners(event as string)) {
      const result: unknown = Reflect.apply(listener, emitter, args)
      if (!(result instanceof Promise)) continue
      open++
      result.then(
        () => done(),
        (error) => {
          done(error)
          throw error
        }
      )
    }
  }
  try {
    runAsConsumer(instruments, span, undefined, call)
  } catch (error) {
    done(error)
    throw error
  }
  done()
  return true
}
