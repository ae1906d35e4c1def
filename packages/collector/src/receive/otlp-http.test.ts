/** The receiver over real sockets, with a sink that the test controls. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from 'node:assert'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync
} from 'node:zlib'
import { type DecodedMetric, decodeMetrics, packCells } from '@spanloom/otlp'
import protobuf from 'protobufjs'
import { afterEach, describe, it } from 'vitest'
import { CollectorError, type ErrorCode } from '../errors.ts'
import type { ValuesOf } from '../lib/option.ts'
import type { OpenSpan } from '../model/open-span.ts'
import { HeadRates } from './head-rates.ts'
import { receiveOptions } from './options.ts'
import { createOtlpHttpReceiver } from './otlp-http.ts'
import { tracesJson, tracesPayload } from './payloads.testkit.ts'
import { loadProto } from './proto.ts'
import type { AcceptedPayload, Receiver } from './receiver.ts'

type ReceiveOptions = ValuesOf<typeof receiveOptions>

const defaults = Object.fromEntries(
  Object.entries(receiveOptions).map(([name, option]) => [name, option.default])
) as ReceiveOptions

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
const MIB = 1_048_576

const proto = new protobuf.Root().loadSync(
  ['rpc-status.proto', 'trace-service.proto'].map((file) =>
    fileURLToPath(new URL(`../../proto/${file}`, import.meta.url))
  )
)

const open: Receiver[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const receiver of open.splice(0)) await receiver.close(AbortSignal.abort())
})

interface Setup {
  readonly url: string
  readonly port: number
  readonly receiver: Receiver
  readonly accepted: AcceptedPayload[]
  readonly rejected: string[]
  readonly latest: DecodedMetric[]
  readonly openSpans: OpenSpan[]
  readonly counts: {
    spans: number
    spansRejected: number
    pointsRejected: number
    connections: number
    failed: number
  }
  /** What the sink does with the next payloads. */
  refuse(code: ErrorCode | undefined, when: 'early' | 'late'): void
  hold(gate: Promise<void>): void
}

async function start(options: Partial<ReceiveOptions> = {}, headRates?: HeadRates): Promise<Setup> {
  const accepted: AcceptedPayload[] = []
  const rejected: string[] = []
  const latest: DecodedMetric[] = []
  const openSpans: OpenSpan[] = []
  const counts = { spans: 0, spansRejected: 0, pointsRejected: 0, connections: 0, failed: 0 }
  let early: CollectorError | undefined
  let late: CollectorError | undefined
  let gate: Promise<void> | undefined
  const receiver = createOtlpHttpReceiver({
    host: '127.0.0.1',
    port: 0,
    options: { ...defaults, ...options },
    headRates,
    sink: {
      refusal: () => early,
      async accept(payload) {
        await gate
        if (late !== undefined) throw late
        accepted.push(payload)
      }
    },
    openSpans: { take: (spans) => void openSpans.push(...spans) },
    latestValues: {
      take(metrics) {
        latest.push(...metrics)
        const strange = metrics.filter(({ type }) => type === 'summary')
        return { count: strange.length, reason: strange.length > 0 ? 'No summaries.' : '' }
      }
    },
    events: {
      payloadAccepted: (spans) => {
        counts.spans += spans
      },
      payloadRejected: (reason) => rejected.push(reason),
      pointsRejected: (points) => {
        counts.pointsRejected += points
      },
      spansRejected: (spans) => {
        counts.spansRejected += spans
      },
      connectionRejected: () => {
        counts.connections++
      },
      failed: () => {
        counts.failed++
      }
    }
  })
  open.push(receiver)
  const { port } = await receiver.listen()
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    port,
    receiver,
    accepted,
    rejected,
    latest,
    openSpans,
    counts,
    refuse(code, when) {
      const error = code && new CollectorError(code as 'PIPELINE_FULL', [1])
      early = when === 'early' ? error : undefined
      late = when === 'late' ? error : undefined
    },
    hold(until) {
      gate = until
    }
  }
}

function post(url: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': PROTOBUF, ...headers },
    body: body
  })
}

async function statusOf(response: Response): Promise<Record<string, unknown>> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (response.headers.get('content-type') === JSON_TYPE) {
    return JSON.parse(new TextDecoder().decode(bytes))
  }
  const Status = proto.lookupType('spanloom.rpc.Status')
  return Status.toObject(Status.decode(bytes), { bytes: Array, longs: Number })
}

/** Waits for what other sockets bring about. */
async function eventually(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function raw(port: number, text: string): { socket: Socket; read: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.write(text)
  let heard = ''
  const read = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => {
      heard += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(heard))
  })
  return { socket, read }
}

const compress = { gzip: gzipSync, zstd: zstdCompressSync } as const
const COMPRESSED = ['gzip', 'zstd'] as const

const onePayload = tracesPayload('shop', [{ trace: 1, span: 1 }])

describe('OTLP over HTTP: what is accepted', () => {
  it('protobuf as it is, answered with an empty response', async () => {
    const { url, accepted, counts } = await start()
    const response = await post(url, onePayload)
    strictEqual(response.status, 200)
    strictEqual(response.headers.get('content-type'), PROTOBUF)
    strictEqual((await response.arrayBuffer()).byteLength, 0)
    strictEqual(accepted[0]?.compression, 'identity')
    deepStrictEqual(Buffer.from(accepted[0]!.bytes), Buffer.from(onePayload))
    strictEqual(accepted[0]!.bytes.buffer.byteLength, onePayload.length)
    strictEqual(counts.spans, 1)
  })

  for (const compression of COMPRESSED) {
    it(`${compression}, still compressed, of one part or several`, async () => {
      const { url, accepted, counts } = await start()
      const whole = compress[compression](onePayload)
      const parts = Buffer.concat([
        compress[compression](onePayload),
        compress[compression](tracesPayload('cart', [{ trace: 2, span: 1 }]))
      ])
      const headers = { 'content-encoding': compression.toUpperCase() }
      for (const body of [whole, parts]) {
        strictEqual((await post(url, body, headers)).status, 200)
        const payload = accepted.at(-1)
        strictEqual(payload?.compression, compression)
        deepStrictEqual(Buffer.from(payload.bytes), body)
      }
      // A message after a message is one message with the fields of both.
      strictEqual(counts.spans, 3)
    })
  }

  it('JSON, journaled as compressed protobuf and answered in JSON', async () => {
    const { url, accepted } = await start()
    for (const [body, headers] of [
      [tracesJson('shop', [{ trace: 1, span: 1 }]), {}],
      ...COMPRESSED.map((compression) => [
        compress[compression](tracesJson('shop', [{ trace: 1, span: 1 }])),
        { 'content-encoding': compression }
      ])
    ] as [string | Buffer, Record<string, string>][]) {
      const response = await post(url, body, {
        'content-type': 'application/json; charset=utf-8',
        ...headers
      })
      strictEqual(response.status, 200)
      strictEqual(response.headers.get('content-type'), JSON_TYPE)
      deepStrictEqual(await response.json(), {})
    }
    strictEqual(accepted.length, 3)
    for (const payload of accepted) {
      strictEqual(payload.compression, 'zstd')
      const inflated = zstdDecompressSync(payload.bytes)
      ok(inflated.includes('service.name') && inflated.includes('shop'))
    }
  })

  it('chunked bodies, query strings, and Expect: 100-continue', async () => {
    const { url, port, accepted } = await start()
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of onePayload) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      }
    })
    const chunked = await fetch(`${url}?a=b`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: stream,
      duplex: 'half'
    } as RequestInit)
    strictEqual(chunked.status, 200)
    const { socket, read } = raw(
      port,
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nExpect: 100-continue\r\n` +
        `Connection: close\r\nContent-Length: ${onePayload.length}\r\n\r\n`
    )
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(onePayload)
    match(await read, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
    strictEqual(accepted.length, 2)
  })

  it('and tells a tracer that asks how much to sample, also when some spans were invalid', async () => {
    let nowMs = 0
    const { url, refuse } = await start({}, new HeadRates(0.5, () => nowMs))
    const asks = { 'spanloom-head-rate': 'shop=0.5' }
    const told = async (payload: Uint8Array, headers: Record<string, string> = asks) =>
      (await post(url, payload, headers)).headers.get('spanloom-head-rate')
    strictEqual(await told(onePayload), 'shop=0.5')
    nowMs = 10_000
    // One span that stands for two, in ten seconds.
    strictEqual(await told(onePayload), 'shop=1')
    nowMs = 20_000
    const some = tracesPayload('shop', [
      ...Array.from({ length: 99 }, (_, index) => ({ trace: 1, span: index + 1 })),
      { trace: 0, span: 1 }
    ])
    strictEqual(await told(some), 'shop=0.021754')
    strictEqual(await told(onePayload, {}), null)
    refuse('PIPELINE_FULL', 'late')
    strictEqual(await told(onePayload), null)
    const silent = await start()
    const response = await post(silent.url, onePayload, asks)
    strictEqual(response.headers.get('spanloom-head-rate'), null)
  })

  it('a payload without spans, which takes no place in the journal', async () => {
    const { url, accepted } = await start()
    strictEqual((await post(url, new Uint8Array(0))).status, 200)
    strictEqual((await post(url, '{}', { 'content-type': JSON_TYPE })).status, 200)
    strictEqual(accepted.length, 0)
  })

  it('the valid spans of a payload, and says how many were not', async () => {
    const { url, accepted, counts } = await start()
    const spans = [
      { trace: 1, span: 1 },
      { trace: 1, span: 0 },
      { trace: 0, span: 1 }
    ]
    const response = await post(url, tracesPayload('shop', spans))
    strictEqual(response.status, 200)
    const Answer = proto.lookupType('spanloom.otlp.ExportTraceServiceResponse')
    const answer = Answer.toObject(Answer.decode(new Uint8Array(await response.arrayBuffer())), {
      longs: Number
    })
    strictEqual(answer.partialSuccess.rejectedSpans, 2)
    match(answer.partialSuccess.errorMessage, /id/)

    const json = await post(url, tracesJson('shop', spans), { 'content-type': JSON_TYPE })
    const { partialSuccess } = (await json.json()) as { partialSuccess: Record<string, unknown> }
    strictEqual(partialSuccess.rejectedSpans, '2')
    strictEqual(accepted.length, 2)
    deepStrictEqual([counts.spans, counts.spansRejected], [2, 4])

    const none = await post(url, tracesPayload('shop', [{ trace: 0, span: 0 }]))
    strictEqual(none.status, 200)
    strictEqual(accepted.length, 2)
  })
})

describe('OTLP over HTTP: what is refused', () => {
  const cases: Array<{
    name: string
    path?: string
    method?: string
    headers?: Record<string, string>
    body?: Uint8Array | string
    status: number
    code: number
    says: RegExp
  }> = [
    { name: 'an unknown path', path: '/v2/traces', status: 404, code: 5, says: /\/v2\/traces/ },
    {
      name: 'profiles',
      path: '/v1development/profiles',
      status: 404,
      code: 12,
      says: /profiles is not served/
    },
    {
      name: 'logs as JSON',
      path: '/v1/logs',
      headers: { 'content-type': 'application/json' },
      status: 415,
      code: 3,
      says: /json/
    },
    { name: 'another method', method: 'PUT', status: 405, code: 12, says: /PUT.*POST/ },
    {
      name: 'another content type',
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 3,
      says: /"text\/plain".*application\/x-protobuf/
    },
    {
      name: 'another encoding',
      headers: { 'content-encoding': 'br' },
      status: 415,
      code: 3,
      says: /"br".*zstd, gzip/
    },
    {
      name: 'two encodings',
      headers: { 'content-encoding': 'gzip, gzip' },
      status: 415,
      code: 3,
      says: /"gzip, gzip"/
    },
    {
      name: 'what is no gzip',
      headers: { 'content-encoding': 'gzip' },
      body: onePayload,
      status: 400,
      code: 3,
      says: /not whole gzip: incorrect header check/
    },
    {
      name: 'gzip that ends early',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(onePayload).subarray(0, 40),
      status: 400,
      code: 3,
      says: /40 bytes is not whole gzip: unexpected end of file/
    },
    {
      name: 'what is no zstd',
      headers: { 'content-encoding': 'zstd' },
      body: gzipSync(onePayload),
      status: 400,
      code: 3,
      says: /not whole zstd: no frame begins at byte 0/
    },
    {
      name: 'zstd that ends early',
      headers: { 'content-encoding': 'zstd' },
      body: zstdCompressSync(onePayload).subarray(0, 40),
      status: 400,
      code: 3,
      says: /40 bytes is not whole zstd: the frame at byte 0 ends early/
    },
    {
      name: 'zstd whose second frame ends early',
      headers: { 'content-encoding': 'zstd' },
      body: Buffer.concat([
        zstdCompressSync(onePayload),
        zstdCompressSync(onePayload).subarray(0, -1)
      ]),
      status: 400,
      code: 3,
      says: /not whole zstd: the frame at byte \d\d+ ends early/
    },
    {
      name: 'protobuf that ends early',
      body: onePayload.subarray(0, onePayload.length - 3),
      status: 400,
      code: 3,
      says: /byte \d+/
    },
    { name: 'what is no protobuf', body: 'GET / HTTP/1.1', status: 400, code: 3, says: /byte \d+/ },
    {
      name: 'what is no JSON',
      headers: { 'content-type': JSON_TYPE },
      body: '{"resourceSpans": [}',
      status: 400,
      code: 3,
      says: /not JSON: Unexpected token/
    },
    {
      name: 'JSON that is not UTF-8',
      headers: { 'content-type': JSON_TYPE },
      body: new Uint8Array([0x22, 0xff, 0x22]),
      status: 400,
      code: 3,
      says: /not JSON/
    },
    {
      name: 'JSON of the wrong shape',
      headers: { 'content-type': JSON_TYPE },
      body: '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":5}]}]}]}',
      status: 400,
      code: 3,
      says: /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId/
    }
  ]

  for (const { name, path, method = 'POST', headers, body, status, code, says } of cases) {
    it(`${name}: ${status}, with no effect`, async () => {
      const { port, accepted, rejected } = await start()
      const response = await fetch(`http://127.0.0.1:${port}${path ?? '/v1/traces'}`, {
        method,
        headers: { 'content-type': PROTOBUF, ...headers },
        body: body ?? onePayload
      })
      strictEqual(response.status, status)
      strictEqual(response.headers.get('allow'), status === 405 ? 'POST' : null)
      strictEqual(response.headers.get('retry-after'), null)
      const isJson = headers?.['content-type'] !== undefined
      strictEqual(response.headers.get('content-type'), isJson ? JSON_TYPE : PROTOBUF)
      const answer = await statusOf(response)
      strictEqual(answer.code, code)
      match(String(answer.message), says)
      strictEqual(accepted.length, 0)
      strictEqual(rejected.length, 1)
    })
  }

  it('a body over the limit, by one byte, declared or not', async () => {
    const { url, accepted, rejected } = await start({ bodyBytesMax: onePayload.length })
    strictEqual((await post(url, onePayload)).status, 200)
    const longer = new Uint8Array(onePayload.length + 1)
    strictEqual((await post(url, longer)).status, 413)
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(longer)
        controller.close()
      }
    })
    const init = { method: 'POST', headers: { 'content-type': PROTOBUF }, duplex: 'half' }
    const chunked = await fetch(url, { ...init, body: stream } as RequestInit)
    strictEqual(chunked.status, 413)
    strictEqual(accepted.length, 1)
    deepStrictEqual(rejected, ['RECEIVE_BODY_TOO_LARGE', 'RECEIVE_BODY_TOO_LARGE'])
  })

  it('a large body, so that the sender gets to read why', async () => {
    const { url } = await start({ bodyBytesMax: MIB })
    const response = await post(url, new Uint8Array(MIB + MIB / 2))
    strictEqual(response.status, 413)
    match(String((await statusOf(response)).message), /--receive-body-bytes-max/)
  })

  for (const compression of COMPRESSED) {
    it(`${compression} that inflates beyond the limit, by one byte`, async () => {
      const limit = onePayload.length
      const { url, rejected } = await start({ inflatedBytesMax: limit })
      const headers = { 'content-encoding': compression }
      strictEqual((await post(url, compress[compression](onePayload), headers)).status, 200)
      const longer = tracesPayload('shop!', [{ trace: 1, span: 1 }])
      strictEqual(longer.length, limit + 1)
      const response = await post(url, compress[compression](longer), headers)
      strictEqual(response.status, 413)
      match(String((await statusOf(response)).message), /inflates to more than/)
      deepStrictEqual(rejected, ['RECEIVE_INFLATED_TOO_LARGE'])
    })
  }

  it.each(COMPRESSED)('a %s bomb of gigabytes, within bounded memory', async (compression) => {
    const { url, rejected } = await start()
    const bomb = await bombOf(compression, { gzip: 18, zstd: 400 }[compression])
    const rssBefore = process.memoryUsage().rss
    let rssPeak = rssBefore
    const watch = setInterval(() => {
      rssPeak = Math.max(rssPeak, process.memoryUsage().rss)
    }, 5)
    const responses = await Promise.all(
      [1, 2, 3, 4].map(() => post(url, bomb, { 'content-encoding': compression }))
    )
    clearInterval(watch)
    for (const response of responses) strictEqual(response.status, 413)
    deepStrictEqual(rejected, Array(4).fill('RECEIVE_INFLATED_TOO_LARGE'))
    // Two decode at a time, 64 MiB each; the bodies themselves; slack for a lazy collector.
    const grownMib = (rssPeak - rssBefore) / MIB
    ok(grownMib < 600, `${grownMib} MiB more`)
  })
})

describe('OTLP over HTTP: pressure', () => {
  for (const when of ['early', 'late'] as const) {
    it(`says when to come back when there is no room, found out ${when}`, async () => {
      const { url, refuse, accepted } = await start()
      for (const [code, status, rpcCode] of [
        ['PIPELINE_FULL', 429, 8],
        ['JOURNAL_FULL', 429, 8],
        ['PIPELINE_NOT_OPEN', 503, 14],
        ['JOURNAL_WRITE_FAILED', 503, 14]
      ] as const) {
        refuse(code, when)
        const json = await post(url, tracesJson('shop', [{ trace: 1, span: 1 }]), {
          'content-type': JSON_TYPE
        })
        strictEqual(json.status, status)
        strictEqual(json.headers.get('retry-after'), '1')
        const answer = await statusOf(json)
        strictEqual(answer.code, rpcCode)
        deepStrictEqual(answer.details, [
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }
        ])
        const binary = await post(url, onePayload)
        strictEqual(binary.headers.get('retry-after'), '1')
        const { details } = (await statusOf(binary)) as {
          details: { typeUrl: string; value: number[] }[]
        }
        strictEqual(details[0]?.typeUrl, 'type.googleapis.com/google.rpc.RetryInfo')
        const RetryInfo = proto.lookupType('spanloom.rpc.RetryInfo')
        const info = RetryInfo.toObject(RetryInfo.decode(Uint8Array.from(details[0]!.value)), {
          longs: Number,
          defaults: true
        })
        deepStrictEqual(info.retryDelay, { seconds: 1, nanos: 0 })
      }
      refuse(undefined, when)
      strictEqual((await post(url, onePayload)).status, 200)
      strictEqual(accepted.length, 1)
    })
  }

  it('answers 500 and tells its owner when something else fails', async () => {
    const { url, hold, counts } = await start()
    const defect = Promise.reject(new Error('a defect, with secrets in it'))
    defect.catch(() => {})
    hold(defect)
    const response = await post(url, onePayload)
    strictEqual(response.status, 500)
    ok(!String((await statusOf(response)).message).includes('secrets'))
    strictEqual(counts.failed, 1)
  })

  it('does not answer before the payload is durable', async () => {
    const { url, hold } = await start()
    let release = () => {}
    hold(
      new Promise((resolve) => {
        release = resolve
      })
    )
    let answered = false
    const response = post(url, onePayload).then((result) => {
      answered = true
      return result
    })
    const other = await post(url, 'no protobuf')
    strictEqual(other.status, 400)
    strictEqual(answered, false)
    release()
    strictEqual((await response).status, 200)
  })

  it('refuses bodies beyond what all may have together, and has room again after', async () => {
    const { url, port, rejected } = await start({ bodyBytesMax: MIB, bodiesBytesMax: MIB })
    const half = raw(
      port,
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${MIB}\r\n\r\n`
    )
    half.socket.write(Buffer.alloc(MIB - onePayload.length + 1))
    let response = await post(url, onePayload)
    // Until the receiver has read what the other one sent, there is room.
    const deadline = performance.now() + 10_000
    while (response.status === 200 && performance.now() < deadline) {
      response = await post(url, onePayload)
    }
    strictEqual(response.status, 429)
    strictEqual(response.headers.get('retry-after'), '1')
    half.socket.destroy()
    await eventually(() => rejected.includes('aborted'))
    strictEqual((await post(url, onePayload)).status, 200)
  })

  it('has no effect when the sender goes away in the middle of a body', async () => {
    const { url, port, accepted, rejected } = await start()
    const { socket } = raw(
      port,
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${onePayload.length}\r\n\r\n`
    )
    socket.write(onePayload.subarray(0, onePayload.length - 1))
    await post(url, 'no protobuf')
    socket.destroy()
    await eventually(() => rejected.includes('aborted'))
    strictEqual(accepted.length, 0)
  })

  it('answers 408 to a sender that takes too long, for headers and for a body', async () => {
    const { port, accepted, rejected } = await start({
      headersTimeoutMs: 100,
      requestTimeoutMs: 300
    })
    const slowHead = raw(port, 'POST /v1/traces HTTP/1.1\r\nHost: a\r\n')
    const slowBody = raw(
      port,
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 10\r\n\r\n12345`
    )
    match(await slowHead.read, /^HTTP\/1\.1 408 /)
    match(await slowBody.read, /^HTTP\/1\.1 408 /)
    await eventually(() => rejected.includes('aborted'))
    strictEqual(accepted.length, 0)
  })

  it('answers what is not HTTP with 400, and headers without end with 431', async () => {
    const { port, rejected } = await start()
    match(await raw(port, 'hello\r\n\r\n').read, /^HTTP\/1\.1 400 /)
    const endless = raw(port, `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}`)
    match(await endless.read, /^HTTP\/1\.1 431 /)
    deepStrictEqual(rejected, ['http', 'http'])
  })

  it('closes connections over the limit and counts them', async () => {
    const { port, counts } = await start({ connectionsMax: 1 })
    const first = raw(port, '')
    await new Promise((resolve) => first.socket.once('connect', resolve))
    const second = raw(port, '')
    strictEqual(await second.read, '')
    strictEqual(counts.connections, 1)
  })
})

describe('OTLP over HTTP: metrics', () => {
  const gauge = (name = 'a') => ({ name, gauge: { dataPoints: [{ asInt: 1 }, { asInt: 2 }] } })
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  const stats = (sequence: number) => ({
    name: 'traces.span.sdk.metrics.duration',
    exponentialHistogram: {
      dataPoints: [
        {
          count: 2,
          attributes: [text('span.kind', 'SPAN_KIND_SERVER'), text('status.code', 'STATUS_CODE_OK')]
        }
      ],
      aggregationTemporality: 1
    },
    metadata: [
      text('spanloom.stream', 'x'),
      { key: 'spanloom.sequence', value: { intValue: sequence } },
      {
        key: 'spanloom.cells',
        value: { bytesValue: Buffer.from(packCells([[100, 2]])).toString('base64') }
      }
    ]
  })
  const json = (...metrics: object[]) =>
    JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
  async function send(setup: Setup, body: string) {
    const url = setup.url.replace('traces', 'metrics')
    const response = await post(url, body, { 'content-type': JSON_TYPE })
    return { status: response.status, body: await response.json() }
  }

  it('of which the latest value counts are handed over and not journaled', async () => {
    const setup = await start()
    deepStrictEqual(await send(setup, json(gauge(), gauge('b'))), { status: 200, body: {} })
    deepStrictEqual(
      setup.latest.map(({ name, points }) => [name, points.length]),
      [
        ['a', 2],
        ['b', 2]
      ]
    )
    deepStrictEqual([setup.accepted.length, setup.counts.spans], [0, 0])
  })

  it('of counted spans are journaled whole, in protobuf', async () => {
    const setup = await start()
    deepStrictEqual(await send(setup, json(stats(1), gauge())), { status: 200, body: {} })
    const [payload] = setup.accepted
    deepStrictEqual([payload?.signal, payload?.compression], ['metrics', 'zstd'])
    const { metrics } = decodeMetrics(zstdDecompressSync(payload!.bytes), 10)
    deepStrictEqual(
      metrics.map(({ name }) => name),
      ['traces.span.sdk.metrics.duration', 'a']
    )
    deepStrictEqual(
      setup.latest.map(({ name }) => name),
      ['a']
    )
  })

  it('are still compressed as they were sent, whichever way', async () => {
    const { url, accepted } = await start()
    const metrics = await countedMetrics()
    for (const compression of COMPRESSED) {
      const body = compress[compression](metrics)
      const response = await post(url.replace('traces', 'metrics'), body, {
        'content-encoding': compression
      })
      strictEqual(response.status, 200)
      const { signal, compression: kept, bytes } = accepted.at(-1)!
      deepStrictEqual([signal, kept, Buffer.from(bytes)], ['metrics', compression, body])
    }
  })

  /** As the receiver journals it when it comes as JSON. */
  async function countedMetrics(): Promise<Buffer> {
    const setup = await start()
    await send(setup, json(stats(1)))
    return zstdDecompressSync(setup.accepted[0]!.bytes)
  }

  it('are not handed over when the journal refuses what came with them', async () => {
    const setup = await start()
    setup.refuse('JOURNAL_FULL', 'late')
    strictEqual((await send(setup, json(stats(1), gauge()))).status, 429)
    deepStrictEqual(setup.latest, [])
  })

  it('that are not taken are told to the sender', async () => {
    const setup = await start()
    const foreign = { ...stats(1), metadata: [] }
    const summary = { name: 's', summary: { dataPoints: [{}, {}] } }
    deepStrictEqual(await send(setup, json(foreign, gauge(), summary)), {
      status: 200,
      body: {
        partialSuccess: {
          rejectedDataPoints: '2',
          errorMessage:
            'traces.span.sdk.metrics.duration is taken from Spanloom’s tracer only.'.replace(
              '’',
              "'"
            )
        }
      }
    })
    strictEqual(setup.counts.pointsRejected, 2)
    deepStrictEqual(setup.accepted, [])
    const { partialSuccess } = (await send(setup, json(summary))).body as never
    deepStrictEqual(partialSuccess, { rejectedDataPoints: '1', errorMessage: 'No summaries.' })
  })

  it('that are malformed are refused', async () => {
    const setup = await start()
    const url = setup.url.replace('traces', 'metrics')
    strictEqual((await post(url, new Uint8Array([0x0a, 0x05, 0x0a]))).status, 400)
    strictEqual((await send(setup, json({ name: 7 }))).status, 400)
  })
})

describe('OTLP over HTTP: logs', () => {
  it('reports of open spans are taken, other records are refused, and nothing is journaled', async () => {
    const setup = await start()
    const url = setup.url.replace('traces', 'logs')
    const response = await post(url, encodedLogs(), { 'content-type': PROTOBUF })
    strictEqual(response.status, 200)
    match(Buffer.from(await response.arrayBuffer()).toString('latin1'), /Logs are not kept/)
    deepStrictEqual(setup.openSpans, [
      {
        traceId: '01'.repeat(16),
        spanId: '02'.repeat(8),
        service: 'shop',
        instance: '',
        name: 'GET',
        kind: 'server',
        startUnixMs: 1_795_426_799_370.5,
        reportedUnixMs: 1_795_426_810_000,
        eventLoopBlockedMs: 9_000
      }
    ])
    strictEqual(setup.accepted.length, 0)
  })

  it.each(COMPRESSED)('are taken as %s too', async (compression) => {
    const setup = await start()
    const body = compress[compression](encodedLogs())
    const url = setup.url.replace('traces', 'logs')
    strictEqual((await post(url, body, { 'content-encoding': compression })).status, 200)
    deepStrictEqual(
      setup.openSpans.map(({ name }) => name),
      ['GET']
    )
  })

  function encodedLogs(): Uint8Array<ArrayBuffer> {
    const value = (key: string, of: object) => ({ key, value: of })
    const record = {
      timeUnixNano: 1_795_426_810_000 * 1e6,
      eventName: 'spanloom.span.open',
      traceId: new Uint8Array(16).fill(1),
      spanId: new Uint8Array(8).fill(2),
      attributes: [
        value('spanloom.span.name', { stringValue: 'GET' }),
        value('spanloom.span.kind', { stringValue: 'server' }),
        value('spanloom.span.start_ms', { doubleValue: 1_795_426_799_370.5 }),
        value('spanloom.event_loop.blocked_ms', { intValue: 9_000 })
      ]
    }
    const other = { ...record, eventName: 'login' }
    const short = { ...record, spanId: new Uint8Array(7) }
    const attributes = [value('service.name', { stringValue: 'shop' })]
    const Request = loadProto('logs-service.proto').lookupType(
      'spanloom.otlp.ExportLogsServiceRequest'
    )
    const logRecords = [record, other, short]
    const resourceLogs = [{ resource: { attributes }, scopeLogs: [{ logRecords }] }]
    return new Uint8Array(Request.encode({ resourceLogs }).finish())
  }
})

describe('OTLP over HTTP: start and stop', () => {
  it('names the port and the option when the port is taken', async () => {
    const { port } = await start()
    const receiver = createOtlpHttpReceiver({
      host: '127.0.0.1',
      port,
      options: defaults,
      sink: { refusal: () => undefined, accept: async () => {} },
      latestValues: { take: () => ({ count: 0, reason: '' }) },
      openSpans: { take() {} },
      events: {} as never
    })
    await rejects(receiver.listen(), (error: Error & { code: string }) => {
      strictEqual(error.code, 'CONFIG_PORT_TAKEN')
      match(error.message, new RegExp(`${port}.*--otlp-port`))
      return true
    })
  })

  it('finishes the request under way when it closes, and takes no more', async () => {
    const { url, receiver, hold, accepted } = await start()
    let release = () => {}
    hold(
      new Promise((resolve) => {
        release = resolve
      })
    )
    const response = post(url, onePayload)
    const other = await post(url, 'no protobuf')
    strictEqual(other.status, 400)
    const closed = receiver.close(new AbortController().signal)
    release()
    strictEqual((await response).status, 200)
    await closed
    strictEqual(accepted.length, 1)
    await rejects(post(url, onePayload))
  })
})

/** Nothing but zeros, 128 MiB in each of `partCount` parts that are one stream. */
async function bombOf(compression: 'gzip' | 'zstd', partCount: number): Promise<Buffer> {
  const zeros = Buffer.alloc(16 * MIB)
  const part = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    const engine = compression === 'gzip' ? createGzip({ level: 1 }) : createZstdCompress()
    engine.on('data', (chunk) => chunks.push(chunk))
    engine.on('end', () => resolve(Buffer.concat(chunks)))
    engine.on('error', reject)
    for (let count = 0; count < 8; count++) engine.write(zeros)
    engine.end()
  })
  return Buffer.concat(Array.from({ length: partCount }, () => part))
}
