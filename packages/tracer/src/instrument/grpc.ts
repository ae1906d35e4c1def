/**
 * @grpc/grpc-js, by its methods:
 *
 *   Client.makeUnaryRequest and its three kin   CLIENT, from the call to its status
 *   Server.register                             SERVER around the handler, to the call's last word
 *
 * The name is `package.Service/Method`, and each kind of call has one span, however many messages it
 * streams. The context travels in the call's metadata, of which the client sends a copy.
 */
import { type Context, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  ERROR_TYPE,
  RPC_GRPC_STATUS_CODE,
  RPC_METHOD,
  RPC_SERVICE,
  RPC_SYSTEM,
  SERVER_ADDRESS,
  SERVER_PORT
} from '@spanloom/otlp'
import { ROOT_FRAME } from '../context/frame.ts'
import type { Headers } from '../propagate/propagator.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, inContext, named, runWithSpan, wrapMethod } from './calls.ts'
import {
  announce,
  type Instruments,
  injectHeaders,
  startEntrySpan,
  startExitSpan
} from './instruments.ts'
import { linkToSender, runAsConsumer, textHeaders } from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface Metadata {
  clone(): Metadata
  set(name: string, value: string): void
  get(name: string): unknown[]
}

interface Emitter {
  emit: AnyFunction
}

interface Status {
  readonly code?: number
  readonly details?: string
}

const OK = 0
const CANCELLED = 1
const UNKNOWN = 2

/** What is the server's fault, by the conventions; the rest is the caller's. */
const SERVER_FAULTS = new Set([2, 4, 12, 13, 14, 15])

const CLIENT_METHODS = [
  'makeUnaryRequest',
  'makeClientStreamRequest',
  'makeServerStreamRequest',
  'makeBidiStreamRequest'
]

/** Each of the above calls one of these, which sorts out its optional arguments. */
const CLIENT_CHECKS = ['checkOptionalUnaryResponseArguments', 'checkMetadataAndOptions']

const grpc: Instrumentation = {
  patches: {
    client(exports, instruments) {
      const { prototype } = (exports as { Client: { prototype: object } }).Client
      const begun: Begun = { span: undefined, context: ROOT_FRAME }
      for (const name of CLIENT_METHODS) {
        wrapMethod(prototype, name, (make) => calling(make, begun, instruments))
      }
      for (const name of CLIENT_CHECKS) {
        wrapMethod(prototype, name, (check) => checking(check, begun, instruments))
      }
    },
    server(exports, instruments) {
      const { prototype } = (exports as { Server: { prototype: object } }).Server
      wrapMethod(
        prototype,
        'register',
        (register) =>
          function (this: unknown, path: string, handler: unknown, ...rest: unknown[]) {
            const type = rest[2]
            const wrapped =
              typeof handler === 'function' && (type === 'unary' || type === 'clientStream')
                ? handlingUnary(handler as AnyFunction, path, instruments)
                : typeof handler === 'function'
                  ? handlingStream(handler as AnyFunction, path, instruments)
                  : handler
            return register.call(this, path, wrapped, ...rest)
          }
      )
    }
  }
}

export default grpc

function describe(span: AnySpan, path: string): void {
  if (!(span instanceof RecordingSpan)) return
  const slash = path.lastIndexOf('/')
  span.put(RPC_SYSTEM, 'grpc')
  span.put(RPC_SERVICE, path.slice(1, slash))
  span.put(RPC_METHOD, path.slice(slash + 1))
}

function finish(span: AnySpan, status: Status, isError: boolean): void {
  if (!(span instanceof RecordingSpan) || span.ended) return
  const code = typeof status.code === 'number' ? status.code : UNKNOWN
  span.put(RPC_GRPC_STATUS_CODE, code)
  if (isError) {
    const { details } = status
    span.put(ERROR_TYPE, String(code))
    span.setStatus({ code: SpanStatusCode.ERROR, ...(details ? { message: details } : {}) })
  }
  span.end()
}

/** The span of the call whose arguments are just being looked at. */
interface Begun {
  span: AnySpan | undefined
  /** The caller's: where its callback belongs. */
  context: Context
}

function calling(make: AnyFunction, begun: Begun, instruments: Instruments): AnyFunction {
  return function (this: object, ...args: unknown[]): unknown {
    let span: AnySpan | undefined
    try {
      span = beginCall(this, String(args[0]), instruments)
    } catch (fault) {
      instruments.guard.report('grpc call', fault)
    }
    if (span === undefined) return make.apply(this, args)
    const started = span
    let call: Emitter
    begun.span = started
    begun.context = instruments.contexts.active()
    try {
      call = runWithSpan(instruments, started, () => make.apply(this, args)) as Emitter
    } catch (error) {
      endSpan(started, error)
      throw error
    } finally {
      begun.span = undefined
    }
    // The status is the last that is told, after the messages and the callback.
    const emit = inContext(instruments.contexts.storage, call.emit)
    call.emit = function (this: unknown, ...told: unknown[]) {
      if (told[0] === 'status') {
        const status = told[1] as Status
        finish(started, status, status.code !== OK)
      }
      return emit.apply(this, told)
    }
    return call
  }
}

function beginCall(client: object, path: string, instruments: Instruments): AnySpan | undefined {
  const span = startExitSpan(instruments, path.slice(1), SpanKind.CLIENT)
  if (span === undefined) return undefined
  describe(span, path)
  if (span instanceof RecordingSpan) describeTarget(span, client)
  announce(instruments, span)
  return span
}

interface Checked {
  metadata: Metadata
  callback?: AnyFunction
}

/** Puts the context into a copy of the metadata, which the app may use for its next call. */
function checking(check: AnyFunction, begun: Begun, instruments: Instruments): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const checked = check.apply(this, args) as Checked
    const { span } = begun
    begun.span = undefined
    if (span === undefined) return checked
    try {
      const metadata = checked.metadata.clone()
      injectHeaders(instruments, span, (name, value) => metadata.set(name, value))
      checked.metadata = metadata
      const { callback } = checked
      if (callback !== undefined)
        checked.callback = instruments.contexts.bind(begun.context, callback)
    } catch (fault) {
      instruments.guard.report('grpc metadata', fault)
    }
    return checked
  }
}

function describeTarget(span: RecordingSpan, client: object): void {
  const { getChannel } = client as { getChannel?: () => { getTarget?: () => string } }
  const target = getChannel?.call(client)?.getTarget?.()
  const match = /^(?:dns:(?:\/\/[^/]*\/)?|ipv[46]:)?(.+):(\d+)$/.exec(target ?? '')
  if (match === null) return
  span.put(SERVER_ADDRESS, match[1]!.replace(/^\[|\]$/g, ''))
  span.put(SERVER_PORT, Number(match[2]))
}

interface ServerCall extends Emitter {
  readonly metadata: Metadata
  readonly cancelled?: boolean
}

function beginServer(
  call: ServerCall,
  path: string,
  instruments: Instruments
): { readonly span: AnySpan; readonly headers: Headers } {
  const headers = textHeaders(instruments, call.metadata, (metadata, name) =>
    (metadata as Metadata).get(name)
  )
  const parent = instruments.propagator.parentOf(headers)
  const span = startEntrySpan(instruments, path.slice(1), SpanKind.SERVER, parent)
  describe(span, path)
  if (parent === undefined && span instanceof RecordingSpan) {
    linkToSender(instruments, span, headers)
  }
  announce(instruments, span)
  return { span, headers }
}

function finishServer(span: AnySpan, status: Status): void {
  const code = status.code ?? UNKNOWN
  finish(span, status, SERVER_FAULTS.has(code))
}

function guarded(
  call: ServerCall,
  path: string,
  instruments: Instruments
): ReturnType<typeof beginServer> | undefined {
  try {
    return beginServer(call, path, instruments)
  } catch (fault) {
    instruments.guard.report('grpc server', fault)
    return undefined
  }
}

function statusOf(error: unknown): Status {
  const { code, details, message } = (error ?? {}) as Status & { readonly message?: string }
  const text = details ?? message
  return {
    code: typeof code === 'number' ? code : UNKNOWN,
    ...(text === undefined ? {} : { details: text })
  }
}

function handlingUnary(handler: AnyFunction, path: string, instruments: Instruments): AnyFunction {
  return function (this: unknown, call: ServerCall, callback: AnyFunction) {
    const begun = guarded(call, path, instruments)
    if (begun === undefined) return handler.call(this, call, callback)
    const { span, headers } = begun
    const answer = named(callback, (error: unknown, ...rest: unknown[]) => {
      finishServer(span, error ? statusOf(error) : { code: OK })
      return callback(error, ...rest)
    })
    return runAsConsumer(instruments, span, headers, () => {
      watch(call, span, instruments)
      return failing(span, () => handler.call(this, call, answer))
    })
  }
}

function handlingStream(handler: AnyFunction, path: string, instruments: Instruments): AnyFunction {
  return function (this: unknown, call: ServerCall, ...rest: unknown[]) {
    const begun = guarded(call, path, instruments)
    if (begun === undefined) return handler.call(this, call, ...rest)
    const { span, headers } = begun
    return runAsConsumer(instruments, span, headers, () => {
      watch(call, span, instruments)
      return failing(span, () => handler.call(this, call, ...rest))
    })
  }
}

/** No listeners: the app may count its own. A unary call is no stream that finishes, its callback tells. */
function watch(call: ServerCall, span: AnySpan, { contexts }: Instruments): void {
  const emit = inContext(contexts.storage, call.emit)
  call.emit = function (this: unknown, ...told: unknown[]) {
    const [event, error] = told
    if (event === 'cancelled') finish(span, { code: CANCELLED }, false)
    else if (event === 'error') finishServer(span, statusOf(error))
    else if (event === 'finish') finishServer(span, { code: OK })
    return emit.apply(this, told)
  }
}

function failing<Result>(span: AnySpan, fn: () => Result): Result {
  try {
    return fn()
  } catch (error) {
    finishServer(span, statusOf(error))
    throw error
  }
}
