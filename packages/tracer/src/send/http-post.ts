/**
 * One OTLP/HTTP POST after the other over kept-alive connections, each signal to its own address: TCP, TLS
 * or a Unix socket. Resolves with what was answered and never rejects; the answer's body is read up to
 * 64 KB, because it is only read for its message.
 *
 *   body (zstd) ─→ 415, or 400 to the first ─→ the same as gzip; when that is taken, gzip from then on
 *
 * `node:https` brings TLS with it, 3 MB in a thread of its own, so each protocol is loaded when an address
 * has it. PEM files are read once, at the start; without one that cannot be read the connection is tried
 * as it is, and fails by the rules of TLS where it was needed.
 */
import { readFileSync } from 'node:fs'
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { HEAD_RATE_HEADER } from '@spanloom/otlp'
import type { Notify } from '../notices.ts'
import { type Compression, encodingOf, fromZstdToGzip } from './compression.ts'
import { noAnswer, type PostResult } from './delivery.ts'
import type { HeadRate } from './head-rate.ts'
import { parsePartialSuccess, parseStatusMessage } from './otlp-response.ts'
import type { SendOptions, SendTarget, Signal, TlsFiles } from './sender.ts'

const RESPONSE_BYTES_MAX = 64 * 1024

export interface HttpPost {
  post(body: Uint8Array, signal: Signal): Promise<PostResult>
  /** Whether the system has taken all of the body, so that nothing here reads it any more. */
  hasSent(body: Uint8Array): boolean
  /** What the signal's bodies are to be compressed with; changes when the other side refuses it. */
  compressionOf(signal: Signal): Compression
  close(): void
}

interface Route {
  readonly url: URL
  readonly request: (url: URL, options: RequestOptions) => ClientRequest
  readonly options: RequestOptions
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  compression: Compression
  /** Whether a body in zstd was taken here: then a 400 is about what it holds. */
  takesZstd: boolean
}

const BAD_REQUEST = 400
const UNSUPPORTED_MEDIA_TYPE = 415

export interface HttpPostParts {
  readonly options: SendOptions
  readonly notify: Notify
  /** False: its sockets do not keep the process alive. */
  readonly holdProcess: boolean
  readonly headRate: HeadRate | undefined
}

export function createHttpPost({
  options,
  notify,
  holdProcess,
  headRate
}: HttpPostParts): HttpPost {
  const agents = new Map<string, Agent>()
  const sent = new WeakSet<Uint8Array>()
  const pem = pemReader(notify)
  const { targets } = options
  const routes: Record<Signal, Route> = {
    traces: route(targets.traces),
    metrics: route(targets.metrics),
    logs: route(targets.logs)
  }

  function route({ url, socketPath, headers, timeoutMs, compression, tls }: SendTarget): Route {
    const parsed = new URL(url)
    const secure = parsed.protocol === 'https:'
    const module = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    let agent = agents.get(parsed.protocol)
    // The agent keeps connections apart by host, socket and certificates.
    agent ??= new module.Agent({ keepAlive: true, maxSockets: 1 })
    agents.set(parsed.protocol, agent)
    return {
      url: parsed,
      request: module.request,
      options: {
        method: 'POST',
        agent,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(secure && tls !== undefined ? pem(tls) : {})
      },
      headers: {
        ...headers,
        'content-type': 'application/x-protobuf',
        'user-agent': options.userAgent
      },
      timeoutMs,
      compression,
      takesZstd: false
    }
  }

  async function post(body: Uint8Array, signal: Signal): Promise<PostResult> {
    const to = routes[signal]
    if (encodingOf(body) !== 'zstd') return ask(to, body, signal)
    if (to.compression !== 'zstd') return ask(to, fromZstdToGzip(body), signal)
    const result = await ask(to, body, signal)
    const { status } = result
    if (status === 200) to.takesZstd = true
    // Servers that do not know an encoding should answer 415; some answer 400.
    const isRefused = status === UNSUPPORTED_MEDIA_TYPE || (status === BAD_REQUEST && !to.takesZstd)
    if (!isRefused) return result
    const asGzip = await ask(to, fromZstdToGzip(body), signal)
    // After a 400 only an answer to the same as gzip shows what it was about.
    if (status === BAD_REQUEST && asGzip.status !== 200) return asGzip
    to.compression = 'gzip'
    notify('SEND_ZSTD_REFUSED', signal, status)
    return asGzip
  }

  function ask(to: Route, body: Uint8Array, signal: Signal): Promise<PostResult> {
    return new Promise((resolve) => {
      const request = to.request(to.url, { ...to.options, headers: headersOf(to, body, signal) })
      if (!holdProcess) request.on('socket', (socket) => socket.unref())
      const stop = limitTime(request, to.timeoutMs, holdProcess)
      const done = (result: PostResult) => {
        stop()
        resolve(result)
      }
      request.on('error', (error: NodeJS.ErrnoException) =>
        done(noAnswer(error.code || error.message || 'no answer'))
      )
      request.on('finish', () => sent.add(body))
      request.on('response', (response) => {
        if (response.statusCode === 200) headRate?.heard(response.headers[HEAD_RATE_HEADER])
        readAnswer(response, done)
      })
      request.end(body)
    })
  }

  function headersOf({ headers }: Route, body: Uint8Array, signal: Signal) {
    const encoding = encodingOf(body)
    return {
      ...headers,
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      ...(headRate === undefined || signal !== 'traces'
        ? {}
        : { [HEAD_RATE_HEADER]: headRate.header }),
      'content-length': body.length
    }
  }

  return {
    post,
    hasSent: (body) => sent.has(body),
    compressionOf: (signal) => routes[signal].compression,
    close() {
      for (const agent of agents.values()) agent.destroy()
    }
  }
}

/** From the first byte sent to the last received: an answer that trickles is none. */
function limitTime(request: ClientRequest, timeoutMs: number, holdProcess: boolean): () => void {
  const timer = setTimeout(() => {
    request.destroy(new Error(`no answer within ${timeoutMs} ms`))
  }, timeoutMs)
  if (!holdProcess) timer.unref()
  return () => clearTimeout(timer)
}

/** Each file is read, and complained about, once. */
function pemReader(notify: Notify): (files: TlsFiles) => Record<string, Buffer> {
  const known = new Map<string, Buffer | undefined>()
  function read(file: string): Buffer | undefined {
    if (known.has(file)) return known.get(file)
    let text: Buffer | undefined
    try {
      text = readFileSync(file)
    } catch (error) {
      notify('SEND_TLS_FILE', file, (error as NodeJS.ErrnoException).code ?? String(error))
    }
    known.set(file, text)
    return text
  }
  return (files) => {
    const texts: Record<string, Buffer> = {}
    for (const [kind, file] of Object.entries(files)) {
      const text = read(file)
      if (text !== undefined) texts[kind] = text
    }
    return texts
  }
}

function readAnswer(response: IncomingMessage, resolve: (result: PostResult) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= RESPONSE_BYTES_MAX) chunks.push(chunk)
  })
  response.on('error', (error) => resolve(noAnswer(error.message)))
  response.on('end', () => {
    const status = response.statusCode ?? 0
    const body = Buffer.concat(chunks)
    const accepted = status >= 200 && status < 300
    // A proxy's login, a page that is there for every path: whoever it is has not taken the spans.
    if (accepted && isWebPage(response)) return resolve(noAnswer(`${status} with a web page`))
    const partial = accepted ? parsePartialSuccess(body) : undefined
    const said = partial?.message ?? parseStatusMessage(body, response.headers['content-type'])
    resolve({
      status,
      reason: said || response.statusMessage || 'no reason given',
      retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
      rejectedSpans: partial?.rejectedSpans ?? 0
    })
  })
}

function isWebPage({ headers }: IncomingMessage): boolean {
  return /^text\/html\b/i.test(headers['content-type'] ?? '')
}

/** Seconds or a date, as HTTP has it. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
