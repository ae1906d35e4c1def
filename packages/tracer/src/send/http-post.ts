/**
 * One OTLP/HTTP POST after the other over a kept-alive connection. Resolves with what was answered and
 * never rejects; the answer's body is read up to 64 KB, because it is only read for its message.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { HEAD_RATE_HEADER } from '@spanloom/otlp'
import { noAnswer, type PostResult } from './delivery.ts'
import type { HeadRate } from './head-rate.ts'
import { parsePartialSuccess, parseStatusMessage } from './otlp-response.ts'
import type { SendOptions } from './sender.ts'

const RESPONSE_BYTES_MAX = 64 * 1024

export interface HttpPost {
  post(body: Uint8Array): Promise<PostResult>
  close(): void
}

/** `holdProcess` false: its sockets do not keep the process alive. */
export function createHttpPost(
  options: SendOptions,
  encoding: 'gzip' | 'identity',
  holdProcess: boolean,
  headRate?: HeadRate
): HttpPost {
  const url = new URL(options.url)
  const secure = url.protocol === 'https:'
  const agentOptions = { keepAlive: true, maxSockets: 1 }
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  const send = secure ? httpsRequest : httpRequest
  const headers = {
    ...options.headers,
    'content-type': 'application/x-protobuf',
    'user-agent': options.userAgent,
    ...(encoding === 'gzip' ? { 'content-encoding': 'gzip' } : {})
  }

  function post(body: Uint8Array): Promise<PostResult> {
    return new Promise((resolve) => {
      const request = send(url, {
        method: 'POST',
        agent,
        headers: {
          ...headers,
          ...(headRate === undefined ? {} : { [HEAD_RATE_HEADER]: headRate.header }),
          'content-length': body.length
        }
      })
      if (!holdProcess) request.on('socket', (socket) => socket.unref())
      request.setTimeout(options.timeoutMs, () => request.destroy(new Error('timeout')))
      request.on('error', (error: NodeJS.ErrnoException) =>
        resolve(noAnswer(error.code ?? error.message))
      )
      request.on('response', (response) => {
        if (response.statusCode === 200) headRate?.heard(response.headers[HEAD_RATE_HEADER])
        readAnswer(response, resolve)
      })
      request.end(body)
    })
  }

  return { post, close: () => agent.destroy() }
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
    const partial = accepted ? parsePartialSuccess(body) : undefined
    resolve({
      status,
      reason: partial?.message ?? parseStatusMessage(body, response.headers['content-type']),
      retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
      rejectedSpans: partial?.rejectedSpans ?? 0
    })
  })
}

/** Seconds or a date, as HTTP has it. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
