/**
 * The promise itself, on the real program: what was answered with 200 is counted once and stored
 * once, whatever was killed in between and however often it was sent.
 */
import { deepStrictEqual, strictEqual } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { ServicesResponse, StatusResponse, TraceResponse } from '@spanloom/query-api'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { type TestSpan, tracesPayload } from '../../src/receive/payloads.testkit.ts'
import { type CollectorProcess, startCollector } from './collector-process.testkit.ts'

const SERVICES = ['cart', 'stock', 'mail']
const TEST_MS = 90_000

/** What payloads are sent as, in turns. */
const ENCODINGS = [
  ['identity', (bytes: Uint8Array) => bytes],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync]
] as const

let dataDir = ''
let running: CollectorProcess | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanloom-crash-'))
})

afterEach(async () => {
  await running?.end('SIGKILL')
  running = undefined
  await rm(dataDir, { recursive: true })
})

/** What the senders were told, by service: the truth to compare with. */
class Ledger {
  readonly calls = new Map<string, number>()
  readonly errors = new Map<string, number>()
  spans = 0
  traces = 0
  /** One of each encoding, to be opened. */
  readonly latest = new Map<string, number>()
  #nextTrace = 1

  /** A request of each service, each with an inner span; a tenth of them fails. */
  nextPayload(service: string): { bytes: Uint8Array; spans: TestSpan[] } {
    const spans: TestSpan[] = []
    const startUnixMs = Date.now() - 1_000
    for (let count = 0; count < 5; count++) {
      const trace = this.#nextTrace++
      const error = trace % 10 === 0
      spans.push({ trace, span: 1, startUnixMs, error })
      spans.push({ trace, span: 2, parent: 1, kind: 1, name: 'work', startUnixMs, durationMs: 2 })
    }
    return { bytes: tracesPayload(service, spans), spans }
  }

  acknowledged(service: string, spans: readonly TestSpan[], encoding: string): void {
    this.latest.set(encoding, spans[0]!.trace)
    const requests = spans.filter((span) => span.span === 1)
    add(this.calls, service, requests.length)
    add(this.errors, service, requests.filter((span) => span.error).length)
    this.spans += spans.length
    this.traces += requests.length
  }
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount)
}

let delivered = 0

/**
 * Sends until it hears 200, as an exporter does; then once more, as one whose answer was lost.
 * Resolves with the encoding.
 */
async function deliver(bytes: Uint8Array): Promise<string> {
  const [encoding, encode] = ENCODINGS[delivered++ % ENCODINGS.length]!
  const body = encode(bytes)
  for (let answered = 0; answered < 2; ) {
    if (await post(body, encoding)) answered++
    else await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return encoding
}

async function post(body: Uint8Array, encoding: string): Promise<boolean> {
  try {
    const response = await fetch(`${running?.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': encoding },
      body
    })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${running?.uiUrl}${path}`)
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as Answer
}

/** Until everything is decided and stored. */
async function settled(): Promise<StatusResponse> {
  const deadline = performance.now() + 30_000
  let last: StatusResponse | undefined
  while (performance.now() < deadline) {
    const status = await ask<StatusResponse>('/api/status')
    const isSame = last !== undefined && last.journal.nextPosition === status.journal.nextPosition
    if (isSame && status.traces.open === 0 && status.journal.lag === 0) return status
    last = status
    // Longer than a tick: a collector that is not idle has moved by then.
    await new Promise((resolve) => setTimeout(resolve, 700))
  }
  throw new Error(`not settled: ${JSON.stringify(last)}`)
}

async function callsInMetrics(kind: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${running?.uiUrl}/metrics`)).text()
  const calls: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const match = /^traces_span_metrics_calls_total\{(.*)\} (\d+)/.exec(line)
    if (match === null || !match[1]!.includes(`span_kind="${kind}"`)) continue
    const service = /service_name="([^"]*)"/.exec(match[1]!)?.[1] ?? ''
    calls[service] = (calls[service] ?? 0) + Number(match[2])
  }
  return calls
}

async function assertTrue(ledger: Ledger): Promise<void> {
  const status = await settled()
  const expected = Object.fromEntries([...ledger.calls].sort())
  const { services } = await ask<ServicesResponse>('/api/services')
  const byName = [...services].sort((left, right) => (left.service < right.service ? -1 : 1))
  const counted = (key: 'calls' | 'errors') =>
    Object.fromEntries(byName.map((row) => [row.service, row[key]]))
  deepStrictEqual(counted('calls'), expected)
  deepStrictEqual(counted('errors'), Object.fromEntries([...ledger.errors].sort()))
  const server = await callsInMetrics('SPAN_KIND_SERVER')
  deepStrictEqual(Object.fromEntries(Object.entries(server).sort()), expected)
  strictEqual(status.spans.accepted, ledger.spans)
  strictEqual(status.spans.stored, ledger.spans)
  strictEqual(status.traces.stored, ledger.traces)
  strictEqual(status.spans.dropped, 0)
  strictEqual(ledger.latest.size, ENCODINGS.length)
  for (const [encoding, trace] of ledger.latest) {
    const traceId = trace.toString(16).padStart(16, '0').repeat(2)
    const { spans } = await ask<TraceResponse>(`/api/traces/${traceId}`)
    deepStrictEqual(
      spans.map(({ name }) => name),
      ['GET /', 'work'],
      encoding
    )
  }
}

describe('the program', () => {
  it(
    'counts and stores once what it acknowledged, killed three times while it is sent to',
    async () => {
      const ledger = new Ledger()
      let isSending = true
      const send = async (service: string) => {
        while (isSending) {
          const { bytes, spans } = ledger.nextPayload(service)
          ledger.acknowledged(service, spans, await deliver(bytes))
        }
      }
      running = await startCollector(dataDir)
      const senders = SERVICES.map(send)
      // After so many payloads: within a tick, after some ticks, after a checkpoint.
      for (const payloads of [20, 200, 3_000]) {
        const before = ledger.traces
        while (ledger.traces < before + payloads * 5) await new Promise(setImmediate)
        await running.end('SIGKILL')
        running = await startCollector(dataDir)
      }
      isSending = false
      await Promise.all(senders)
      await assertTrue(ledger)
      const status = await ask<StatusResponse>('/api/status')
      strictEqual(status.spans.duplicate >= ledger.spans, true)

      // Nothing changes by stopping and starting again.
      strictEqual(await running.end('SIGTERM'), 0)
      running = await startCollector(dataDir)
      await assertTrue(ledger)
    },
    TEST_MS
  )

  it(
    'finishes what it acknowledged when it is asked to stop, and when its parent goes away',
    async () => {
      const ledger = new Ledger()
      for (const stop of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
        running = await startCollector(dataDir)
        const { bytes, spans } = ledger.nextPayload('cart')
        ledger.acknowledged('cart', spans, await deliver(bytes))
        if (stop === 'disconnect') {
          const exited = new Promise((resolve) => running?.child.once('exit', resolve))
          running.child.disconnect()
          strictEqual(await exited, 0)
        } else {
          strictEqual(await running.end(stop), 0)
        }
      }
      running = await startCollector(dataDir)
      await assertTrue(ledger)
    },
    TEST_MS
  )
})
