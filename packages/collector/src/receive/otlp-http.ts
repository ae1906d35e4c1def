/**
 * OTLP over HTTP on bare node:http.
 *
 *   head ─→ admit ─→ room? ─→ read ─→ inflate ─→ (JSON → protobuf) ─→ check ─→ accept ─→ 200
 *            415 …    429      413     413, 400        400            400     429, 503
 *
 * The sender hears 200 only once the payload is durable, as far as it is to be: of most metrics only the
 * latest value counts, and the next one is never far. A request that is refused, torn or too
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
import { constants as zlibConstants, zstdCompress } from 'node:zlib'
import { HEAD_RATE_HEADER } from '@spanloom/otlp'
import { CollectorError, reasonOf } from '../errors.ts'
import type { ValuesOf } from '../lib/option.ts'
import { Slots } from '../lib/slots.ts'
import { type Admission, admit, encodingOf } from './admission.ts'
import { type Answer, answerAccepted, answerRefused } from './answer.ts'
import { BodyLedger, inflateBody, readBody } from './body.ts'
import type { HeadRates } from './head-rates.ts'
import type { receiveOptions } from './options.ts'
import { checkPayload, jsonToProtobuf, type PayloadFacts } from './payload-check.ts'
import type {
  AcceptedPayload,
  MetricSink,
  OpenSpanSink,
  PayloadSink,
  Receiver,
  ReceiverEvents
} from './receiver.ts'
import type { Signal } from './signal.ts'

const DECODES_AT_ONCE = 2

/** Longer than any exporter's interval, so that each keeps its connection. */
const KEEP_ALIVE_MS = 65_000

/** JSON is journaled as protobuf; zstd's level 1 is smaller than gzip's in a third of the time. */
const zstdAsync = promisify(zstdCompress)
const JOURNAL_ZSTD = { params: { [zlibConstants.ZSTD_c_compressionLevel]: 1 } } as const

export interface OtlpHttpParts {
  readonly host: string
  readonly port: number
  readonly options: ValuesOf<typeof receiveOptions>
  readonly sink: PayloadSink
  readonly latestValues: MetricSink
  readonly openSpans: OpenSpanSink
  readonly events: ReceiverEvents
  /** Undefined: nobody is told how much to sample. */
  readonly headRates?: HeadRates | undefined
}

interface Checked {
  readonly payload: Omit<AcceptedPayload, 'signal'> & { readonly signal: Signal }
  readonly facts: PayloadFacts
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
    const { sink, events, headRates, latestValues, openSpans } = this.#parts
    const { signal, encoding } = admission
    const byteCount = body.length
    const { payload, facts } = await this.#check(admission, body)
    if (socket.destroyed) return undefined
    if (facts.journaled && payload.signal !== 'logs') {
      await sink.accept({ ...payload, signal: payload.signal })
    }
    openSpans.take(facts.openSpans)
    const refused = latestValues.take(facts.latest)
    const rejectedCount = facts.rejectedCount + refused.count
    const rejected = { count: rejectedCount, reason: facts.rejectedReason || refused.reason }
    const accepted = facts.itemCount - rejectedCount
    events.payloadAccepted(signal === 'traces' ? accepted : 0, byteCount)
    if (rejectedCount > 0) {
      if (signal === 'traces') events.spansRejected(rejectedCount)
      else if (signal === 'metrics') events.pointsRejected(rejectedCount)
    }
    const headRate =
      signal === 'traces' ? headRates?.answer(headers[HEAD_RATE_HEADER], accepted) : undefined
    return answerAccepted(encoding, signal, rejectedCount > 0 ? rejected : undefined, headRate)
  }

  async #check(admission: Admission, body: Uint8Array<ArrayBuffer>): Promise<Checked> {
    const { signal, encoding, compression } = admission
    const asSent = { signal, compression, bytes: body }
    if (encoding === 'protobuf' && compression === 'identity') {
      return { facts: checkPayload(signal, body), payload: asSent }
    }
    return await this.#decodes.run(async () => {
      const { inflatedBytesMax } = this.#parts.options
      const plain =
        compression === 'identity' ? body : await inflateBody(body, compression, inflatedBytesMax)
      if (encoding === 'protobuf') return { facts: checkPayload(signal, plain), payload: asSent }
      const protobuf = jsonToProtobuf(signal, plain)
      const facts = checkPayload(signal, protobuf)
      const bytes = new Uint8Array(await zstdAsync(protobuf, JOURNAL_ZSTD))
      return { facts, payload: { signal, compression: 'zstd' as const, bytes } }
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
