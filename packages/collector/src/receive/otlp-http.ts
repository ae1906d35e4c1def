/**
 * OTLP over HTTP on bare node:http.
 *
 *   head ─→ admit ─→ room? ─→ read ─→ inflate ─→ (JSON → protobuf) ─→ check ─→ accept ─→ 200
 *            415 …    429      413     413, 400        400            400     429, 503
 *
 * The sender hears 200 only once the payload is durable. A request that is refused, torn or too
 * slow has no effect. Limits: see options.ts; besides, DECODES_AT_ONCE bodies are inflated or
 * turned from JSON at a time, because each may take `inflatedBytesMax` of memory.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { checkTraces, HEAD_RATE_HEADER, tracesJsonToProtobuf } from '@spanloom/otlp'
import { CollectorError, reasonOf } from '../errors.ts'
import type { ValuesOf } from '../lib/option.ts'
import { Slots } from '../lib/slots.ts'
import { type Admission, admit, encodingOf } from './admission.ts'
import { type Answer, answerAccepted, answerRefused } from './answer.ts'
import { BodyLedger, inflate, readBody } from './body.ts'
import type { HeadRates } from './head-rates.ts'
import type { receiveOptions } from './options.ts'
import type { AcceptedPayload, PayloadSink, Receiver, ReceiverEvents } from './receiver.ts'

const DECODES_AT_ONCE = 2

/** Longer than any exporter's interval, so that each keeps its connection. */
const KEEP_ALIVE_MS = 65_000

/** JSON is journaled as protobuf; level 1 takes a third of the time of level 6. */
const gzipAsync = promisify(gzip)
const JOURNAL_GZIP = { level: 1 } as const

export interface OtlpHttpParts {
  readonly host: string
  readonly port: number
  readonly options: ValuesOf<typeof receiveOptions>
  readonly sink: PayloadSink
  readonly events: ReceiverEvents
  /** Undefined: nobody is told how much to sample. */
  readonly headRates?: HeadRates | undefined
}

interface Checked {
  readonly payload: AcceptedPayload
  readonly spanCount: number
  readonly rejectedSpans: number
  readonly rejectedReason: string
}

export function createOtlpHttpReceiver(parts: OtlpHttpParts): Receiver {
  return new OtlpHttpReceiver(parts)
}

class OtlpHttpReceiver implements Receiver {
  readonly #parts: OtlpHttpParts
  readonly #server: Server
  readonly #ledger: BodyLedger
  readonly #decodes = new Slots(DECODES_AT_ONCE)
  #closing = false

  constructor(parts: OtlpHttpParts) {
    this.#parts = parts
    this.#ledger = new BodyLedger(parts.options.bodiesBytesMax)
    this.#server = this.#createServer()
  }

  async listen(): Promise<{ readonly port: number }> {
    const { host, port } = this.#parts
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE' || error.code === 'EACCES'
            ? new CollectorError('CONFIG_PORT_TAKEN', [port, '--otlp-port'], error)
            : new CollectorError('CONFIG_HOST_UNUSABLE', [host, reasonOf(error)], error)
        )
      })
      this.#server.listen(port, host, resolve)
    })
    this.#server
      .removeAllListeners('error')
      .on('error', (error) => this.#parts.events.failed(error))
    return { port: (this.#server.address() as AddressInfo).port }
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const cutOff = () => this.#server.closeAllConnections()
    if (signal.aborted) cutOff()
    signal.addEventListener('abort', cutOff)
    await closed
    signal.removeEventListener('abort', cutOff)
  }

  #createServer(): Server {
    const { options, events } = this.#parts
    const { headersTimeoutMs, requestTimeoutMs } = options
    const server = createServer({
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS
    })
    server.maxConnections = options.connectionsMax
    server.on('request', (request, response) => void this.#handle(request, response, false))
    server.on('checkContinue', (request, response) => void this.#handle(request, response, true))
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket))
    server.on('drop', () => events.connectionRejected())
    return server
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean
  ): Promise<void> {
    const encoding = encodingOf(request.headers) ?? 'json'
    const lease = this.#ledger.lease()
    try {
      const admission = admit(request as never, this.#parts.options.bodyBytesMax)
      const refusal = this.#parts.sink.refusal(admission.byteCount)
      if (refusal !== undefined) throw refusal
      if (awaitsContinue) response.writeContinue()
      const body = await readBody(request, this.#parts.options.bodyBytesMax, this.#ledger, lease)
      const answer = body && (await this.#take(admission, body, request))
      if (answer === undefined) this.#parts.events.payloadRejected('aborted')
      else this.#send(request, response, answer)
    } catch (error) {
      const known = error instanceof CollectorError ? error : undefined
      if (known === undefined) this.#parts.events.failed(error)
      this.#parts.events.payloadRejected(known?.code ?? 'http')
      this.#send(request, response, answerRefused(encoding, known))
    } finally {
      lease.release()
    }
  }

  /** `undefined` when the sender went away before anything was done with its body. */
  async #take(
    admission: Admission,
    body: Uint8Array<ArrayBuffer>,
    { socket, headers }: IncomingMessage
  ): Promise<Answer | undefined> {
    const { sink, events, headRates } = this.#parts
    const byteCount = body.length
    const checked = await this.#check(admission, body)
    const { spanCount, rejectedSpans, rejectedReason } = checked
    if (socket.destroyed) return undefined
    // Nothing to count in it: it takes no place in the journal.
    if (spanCount > rejectedSpans) await sink.accept(checked.payload)
    events.payloadAccepted(spanCount - rejectedSpans, byteCount)
    const headRate = headRates?.answer(headers[HEAD_RATE_HEADER], spanCount - rejectedSpans)
    if (rejectedSpans === 0) return answerAccepted(admission.encoding, undefined, headRate)
    events.spansRejected(rejectedSpans)
    const rejected = { spanCount: rejectedSpans, reason: rejectedReason }
    return answerAccepted(admission.encoding, rejected, headRate)
  }

  async #check(admission: Admission, body: Uint8Array<ArrayBuffer>): Promise<Checked> {
    const { encoding, compression } = admission
    if (encoding === 'protobuf' && compression === 'identity') {
      return { ...checkedTraces(body), payload: { compression, bytes: body } }
    }
    return await this.#decodes.run(async () => {
      const plain =
        compression === 'gzip' ? await inflate(body, this.#parts.options.inflatedBytesMax) : body
      if (encoding === 'protobuf') {
        return { ...checkedTraces(plain), payload: { compression, bytes: body } }
      }
      const protobuf = wellFormed(() => tracesJsonToProtobuf(parseJson(plain)))
      const facts = checkedTraces(protobuf)
      const bytes = new Uint8Array(await gzipAsync(protobuf, JOURNAL_GZIP))
      return { ...facts, payload: { compression: 'gzip', bytes } }
    })
  }

  /**
   * What is left of a refused body is read and thrown away, so that the sender, who may still be
   * writing, gets to read the answer; not more of it, though, than a body may have.
   */
  #send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (this.#closing) response.setHeader('connection', 'close')
    response.writeHead(answer.httpStatus, answer.headers)
    response.end(answer.body)
    if (request.complete) return
    let drained = 0
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => {
      drained += chunk.length
      if (drained > this.#parts.options.bodyBytesMax) request.socket.destroy()
    })
  }

  /** What never became a request: not HTTP, headers too large, or too slow. */
  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const httpStatus =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 408
        : error.code === 'HPE_HEADER_OVERFLOW'
          ? 431
          : 400
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    this.#parts.events.payloadRejected('http')
    socket.end(
      `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy()
    )
  }
}

function checkedTraces(protobuf: Uint8Array) {
  const { spanCount, rejectedSpans, rejectedReason } = wellFormed(() => checkTraces(protobuf))
  return { spanCount, rejectedSpans, rejectedReason: rejectedReason ?? '' }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw new Error(`The body is not JSON: ${(error as Error).message}`)
  }
}

/** @throws CollectorError RECEIVE_PAYLOAD_MALFORMED, in the words of whoever found it. */
function wellFormed<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw new CollectorError('RECEIVE_PAYLOAD_MALFORMED', [(error as Error).message], error)
  }
}
