/**
 * One OTLP/HTTP POST after the other over kept-alive connections, each signal to its own address. Resolves with what was answered and
 * never rejects; the answer's body is read up to 64 KB, because it is only read for its message.
 */
import type { Agent, IncomingMessage } from 'node:http'
import { HEAD_RATE_HEADER } from '@spanloom/otlp'
import { noAnswer, type PostResult } from './delivery.ts'
import type { HeadRate } from './head-rate.ts'
import { parsePartialSuccess, parseStatusMessage } from './otlp-response.ts'
import type { SendOptions, SendTarget, Signal } from './sender.ts'

const RESPONSE_BYTES_MAX = 64 * 1024

export interface HttpPost {
  post(body: Uint8Array, signal: Signal): Promise<PostResult>
  close(): void
}

/** `holdProcess` false: its sockets do not keep the process alive. */
export function createHttpPost(
  options: SendOptions,
  encoding: 'gzip' | 'identity',
  holdProcess: boolean,
  headRate?: HeadRate
): HttpPost {
  // Not imported: that would load them with the tracer, and the list of an ES module's exports loads fetch.
  const moduleOf = (protocol: string) =>
    process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http')
  const agents = new Map<string, Agent>()
  const routes = {
    traces: route(options.targets.traces),
    metrics: route(options.targets.metrics),
    logs: route(options.targets.logs)
  }

  function route({ url, headers }: SendTarget) {
    return {
      url: new URL(url),
      headers: {
        ...headers,
        'content-type': 'application/x-protobuf',
        'user-agent': options.userAgent,
        ...(encoding === 'gzip' ? { 'content-encoding': 'gzip' } : {})
      }
    }
  }

  function post(body: Uint8Array, signal: Signal): Promise<PostResult> {
    const { url, headers } = routes[signal]
    const { Agent, request: send } = moduleOf(url.protocol)
    const agent = agents.get(url.protocol) ?? new Agent({ keepAlive: true, maxSockets: 1 })
    agents.set(url.protocol, agent)
    return new Promise((resolve) => {
      const request = send(url, {
        method: 'POST',
        agent,
        headers: {
          ...headers,
          ...(headRate === undefined || signal !== 'traces'
            ? {}
            : { [HEAD_RATE_HEADER]: headRate.header }),
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

  function close(): void {
    for (const agent of agents.values()) agent.destroy()
  }

  return { post, close }
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
