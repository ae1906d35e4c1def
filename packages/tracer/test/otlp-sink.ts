/**
 * A collector for tests: takes OTLP/HTTP on a free port, decodes it with protobufjs from the official
 * field numbers (written out here, so that the tracer's own encoder proves nothing to itself), and lets a
 * test wait for spans. What it answers can be set for each request.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse
} from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { COMMON_TYPES, field } from './common-proto.ts'
import { decodeMetrics, type RawMetric } from './metrics-proto.ts'

export interface SinkSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly traceState: string
  readonly flags: number
  readonly attributes: Record<string, unknown>
  readonly events: { readonly name: string; readonly attributes: Record<string, unknown> }[]
  readonly links: { readonly traceId: string; readonly spanId: string; readonly flags: number }[]
  readonly status: { readonly code: number; readonly message: string }
  readonly resource: Record<string, unknown>
  readonly scope: string
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

export interface SinkRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

const TRACE_PROTO = {
  nested: {
    ExportTraceServiceRequest: {
      fields: { resourceSpans: field('ResourceSpans', 1, 'repeated') }
    },
    ResourceSpans: {
      fields: {
        resource: field('Resource', 1),
        scopeSpans: field('ScopeSpans', 2, 'repeated'),
        schemaUrl: field('string', 3)
      }
    },
    ScopeSpans: {
      fields: {
        scope: field('Scope', 1),
        spans: field('Span', 2, 'repeated'),
        schemaUrl: field('string', 3)
      }
    },
    Span: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        parentSpanId: field('bytes', 4),
        name: field('string', 5),
        kind: field('int32', 6),
        startTimeUnixNano: field('fixed64', 7),
        endTimeUnixNano: field('fixed64', 8),
        attributes: field('KeyValue', 9, 'repeated'),
        droppedAttributesCount: field('uint32', 10),
        events: field('Event', 11, 'repeated'),
        droppedEventsCount: field('uint32', 12),
        links: field('Link', 13, 'repeated'),
        droppedLinksCount: field('uint32', 14),
        status: field('Status', 15),
        flags: field('fixed32', 16)
      }
    },
    Event: {
      fields: {
        timeUnixNano: field('fixed64', 1),
        name: field('string', 2),
        attributes: field('KeyValue', 3, 'repeated'),
        droppedAttributesCount: field('uint32', 4)
      }
    },
    Link: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        attributes: field('KeyValue', 4, 'repeated'),
        droppedAttributesCount: field('uint32', 5),
        flags: field('fixed32', 6)
      }
    },
    Status: { fields: { message: field('string', 2), code: field('int32', 3) } },
    ...COMMON_TYPES
  }
}

const requestType = protobuf.Root.fromJSON(TRACE_PROTO).lookupType('ExportTraceServiceRequest')

interface RawValue {
  readonly value?: string
  readonly intValue?: string
  readonly arrayValue?: { readonly values: RawValue[] }
  readonly kvlistValue?: { readonly values: RawPair[] }
  readonly [kind: string]: unknown
}

interface RawPair {
  readonly key: string
  readonly value: RawValue
}

interface RawEvent {
  readonly name: string
  readonly attributes: RawPair[]
}

interface RawLink {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly flags: number
}

interface RawSpan {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId: Uint8Array
  readonly traceState: string
  readonly name: string
  readonly kind: number
  readonly flags: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: RawPair[]
  readonly events: RawEvent[]
  readonly links: RawLink[]
  readonly status: { readonly code: number; readonly message: string } | null
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

interface RawRequest {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: RawPair[] }
    readonly scopeSpans: { readonly scope: { readonly name: string }; readonly spans: RawSpan[] }[]
  }[]
}

export function decodeSpans(body: Uint8Array): SinkSpan[] {
  const request = requestType.toObject(requestType.decode(body), {
    longs: String,
    defaults: true,
    arrays: true,
    oneofs: true
  }) as unknown as RawRequest
  const spans: SinkSpan[] = []
  for (const group of request.resourceSpans) {
    const resource = attributesOf(group.resource.attributes)
    for (const scoped of group.scopeSpans) {
      for (const span of scoped.spans) spans.push(sinkSpan(span, resource, scoped.scope.name))
    }
  }
  return spans
}

function sinkSpan(span: RawSpan, resource: Record<string, unknown>, scope: string): SinkSpan {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: BigInt(span.startTimeUnixNano),
    endTimeUnixNano: BigInt(span.endTimeUnixNano),
    traceState: span.traceState,
    flags: span.flags,
    attributes: attributesOf(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      attributes: attributesOf(event.attributes)
    })),
    links: span.links.map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      flags: link.flags
    })),
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
    resource,
    scope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount
  }
}

function attributesOf(pairs: RawPair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map((pair) => [pair.key, anyValue(pair.value)]))
}

function anyValue(value: RawValue | null): unknown {
  if (value?.value === undefined) return null
  switch (value.value) {
    case 'intValue':
      return Number(value.intValue)
    case 'arrayValue':
      return value.arrayValue!.values.map(anyValue)
    case 'kvlistValue':
      return attributesOf(value.kvlistValue?.values ?? [])
    default:
      return value[value.value]
  }
}

function hex(bytes: unknown): string {
  return Buffer.from(bytes as Uint8Array).toString('hex')
}

function plain(body: Buffer, encoding: string | undefined): Uint8Array {
  if (encoding === 'gzip') return gunzipSync(body)
  return encoding === 'zstd' ? zstdDecompressSync(body) : body
}

const TAKEN = (): Answer => ({ status: 200 })
const UNHEEDED = () => {}

export class OtlpSink {
  readonly spans: SinkSpan[] = []
  readonly #metrics: Uint8Array[] = []
  readonly requests: SinkRequest[] = []
  /** The answer to the request of this number, from 0. */
  answer: (requestIndex: number) => Answer = TAKEN
  /** Called with the connection of each request. */
  seen: (socket: Socket) => void = UNHEEDED
  readonly #waiting = new Set<() => void>()
  #server: Server | undefined
  port = 0

  /** `port` 0: a free one; a text is the path of a Unix socket. With `tls` it speaks https. */
  async listen(port: number | string = 0, tls?: ServerOptions): Promise<this> {
    const take = (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        this.seen(request.socket)
        const answer = this.answer(this.requests.length)
        this.requests.push({ path: request.url ?? '', headers: request.headers, body })
        // Metrics and logs (a span that is open for long) come here as well where they are on.
        if (answer.status === 200) {
          const bytes = plain(body, request.headers['content-encoding'])
          if (request.url?.endsWith('/v1/metrics')) this.#metrics.push(bytes)
          else if (!request.url?.endsWith('/v1/logs')) this.spans.push(...decodeSpans(bytes))
        }
        response.writeHead(answer.status, answer.headers ?? {})
        response.end(answer.body ?? '')
        for (const check of this.#waiting) check()
      })
    }
    const server = tls === undefined ? createServer(take) : createSecureServer(tls, take)
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      if (typeof port === 'string') server.listen(port, resolve)
      else server.listen(port, '127.0.0.1', resolve)
    })
    if (typeof port === 'number') this.port = (server.address() as AddressInfo).port
    return this
  }

  /** Decoded when asked for: some tests send bytes that are none. */
  get metrics(): RawMetric[] {
    return this.#metrics.flatMap((bytes) => decodeMetrics(bytes))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resolves when `found` is true of what has arrived; fails after `deadlineMs`. */
  async until(found: () => boolean, what: string, deadlineMs = 15_000): Promise<void> {
    if (found()) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check)
        const names = this.spans.map((span) => span.name).join(', ')
        reject(new Error(`No ${what} within ${deadlineMs} ms; there are: ${names}`))
      }, deadlineMs)
      const check = () => {
        if (!found()) return
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
    })
  }

  async span(name: string | ((span: SinkSpan) => boolean)): Promise<SinkSpan> {
    const is = typeof name === 'string' ? (span: SinkSpan) => span.name === name : name
    await this.until(() => this.spans.some(is), `span ${String(name)}`)
    return this.spans.find(is)!
  }

  /** Those of this name that have arrived. */
  named(name: string): SinkSpan[] {
    return this.spans.filter((span) => span.name === name)
  }

  /** The one that has arrived; fails when there are more or none. `what` names it where a function tells it. */
  only(name: string | ((span: SinkSpan) => boolean), what = String(name)): SinkSpan {
    const found = typeof name === 'string' ? this.named(name) : this.spans.filter(name)
    if (found.length !== 1) {
      const names = this.spans.map((span) => span.name).join(', ')
      throw new Error(`${found.length} spans are ${what}; there are: ${names}`)
    }
    return found[0]!
  }

  /** As if it were new. */
  forget(): void {
    this.spans.length = 0
    this.requests.length = 0
    this.#metrics.length = 0
    this.answer = TAKEN
    this.seen = UNHEEDED
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
