/**
 * Seeded traffic as journal records: traces over several services, payloads that come twice, out
 * of order or much too late, spans that never come, ticks with jitter and pauses between them.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Compression } from '../../src/model/compression.ts'
import type { JournalRecord } from '../../src/model/journal-record.ts'
import {
  encodePayload,
  encodeStats,
  KIND,
  randomHex,
  randomOf,
  type TestPoint,
  type TestSpan
} from './payloads.ts'

export interface Traffic {
  readonly records: readonly JournalRecord[]
  /** All that were delivered at least once, each once. */
  readonly spans: readonly TestSpan[]
  /** Deliveries of spans beyond the first. */
  readonly duplicates: number
}

export interface TrafficOptions {
  readonly traces?: number
  readonly durationMs?: number
  /** After the last delivery, so that every trace is decided. */
  readonly quietMs?: number
  /** Services count their spans themselves and send the counts too, some of them twice. */
  readonly precounted?: boolean
}

const START_UNIX_MS = 1_800_000_000_000
const SERVICES = ['gateway', 'orders', 'users', 'billing', 'mailer']

interface Delivery {
  readonly atMs: number
  readonly spans: readonly TestSpan[]
}

export function makeTraffic(seed: number, options: TrafficOptions = {}): Traffic {
  const { traces = 60, durationMs = 40_000, quietMs = 120_000 } = options
  const random = randomOf(seed)
  const deliveries: Delivery[] = []
  for (let trace = 0; trace < traces; trace++) {
    deliver(random, makeTrace(random, random() * durationMs), durationMs, deliveries)
  }
  const merged = mergeSome(random, deliveries)
  const repeated = merged.filter(() => random() < 0.15)
  for (const { atMs, spans } of repeated) {
    merged.push({ atMs: atMs + random() ** 3 * 60_000, spans })
  }
  merged.sort((left, right) => left.atMs - right.atMs)
  const deltas = options.precounted === true ? new Deltas(randomOf(seed + 1)) : undefined
  return { records: toRecords(random, merged, quietMs, deltas), ...countOf(merged) }
}

function makeTrace(random: () => number, atMs: number): TestSpan[] {
  const traceId = randomHex(random, 32)
  const spans: TestSpan[] = []
  const add = (
    parent: TestSpan | undefined,
    service: string,
    kind: number,
    depth: number
  ): void => {
    const startUnixMs = parent
      ? parent.startUnixMs + random() * parent.durationMs
      : START_UNIX_MS + atMs
    const span: TestSpan = {
      traceId,
      spanId: randomHex(random, 16),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      service,
      name: `op-${Math.floor(random() * 4)}`,
      kind,
      ...(random() < 0.2 ? { status: random() < 0.7 ? 2 : 1 } : {}),
      startUnixMs,
      durationMs: random() ** 4 * (parent?.durationMs ?? 3000) * 1.2,
      ...(kind === KIND.CLIENT || kind === KIND.PRODUCER
        ? { attributes: peerOf(random, kind) }
        : {})
    }
    spans.push(span)
    if (depth >= 4 || spans.length > 40) return
    const children = Math.floor(random() * 4)
    for (let child = 0; child < children; child++) {
      if (kind === KIND.CLIENT || kind === KIND.PRODUCER) {
        const called = SERVICES[Math.floor(random() * SERVICES.length)]!
        if (span.attributes?.['db.system.name'] !== undefined) continue
        add(span, called, kind === KIND.CLIENT ? KIND.SERVER : KIND.CONSUMER, depth + 1)
      } else {
        const kinds = [KIND.CLIENT, KIND.CLIENT, KIND.INTERNAL, KIND.PRODUCER]
        add(span, service, kinds[Math.floor(random() * kinds.length)]!, depth + 1)
      }
    }
  }
  add(undefined, SERVICES[0]!, random() < 0.9 ? KIND.SERVER : KIND.INTERNAL, 0)
  return spans
}

function peerOf(random: () => number, kind: number): Record<string, string | number> {
  if (kind === KIND.PRODUCER) {
    return { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' }
  }
  const pick = random()
  if (pick < 0.3) return { 'db.system.name': 'postgresql', 'db.namespace': 'shop' }
  if (pick < 0.5) return { 'server.address': 'api.example.com', 'server.port': 8443 }
  return {}
}

/** Each service sends its own spans; some never come, some come when all is long decided. */
function deliver(
  random: () => number,
  trace: readonly TestSpan[],
  durationMs: number,
  deliveries: Delivery[]
): void {
  const lossy = random() < 0.15
  for (const service of new Set(trace.map((span) => span.service))) {
    const own = trace.filter((span) => span.service === service)
    const split = random() < 0.3 ? Math.floor(random() * own.length) : own.length
    for (const spans of [own.slice(0, split), own.slice(split)]) {
      if (spans.length === 0 || (lossy && random() < 0.4)) continue
      const sentMs = Math.max(...spans.map((span) => span.startUnixMs + span.durationMs))
      const delayMs = random() < 0.1 ? random() * 90_000 : random() * 3000
      const atMs = sentMs - START_UNIX_MS + delayMs
      deliveries.push({ atMs: Math.min(atMs, durationMs + 100_000), spans })
    }
  }
}

/** Payloads of several traces, as batching senders make them. */
function mergeSome(random: () => number, deliveries: readonly Delivery[]): Delivery[] {
  const sorted = [...deliveries].sort((left, right) => left.atMs - right.atMs)
  const merged: Delivery[] = []
  for (let index = 0; index < sorted.length; ) {
    const group = sorted.slice(index, index + 1 + Math.floor(random() * 6))
    index += group.length
    merged.push({ atMs: group.at(-1)!.atMs, spans: group.flatMap(({ spans }) => spans) })
  }
  return merged
}

function toRecords(
  random: () => number,
  deliveries: readonly Delivery[],
  quietMs: number,
  deltas: Deltas | undefined
): JournalRecord[] {
  const records: JournalRecord[] = []
  let tickMs = 0
  const tick = (): void => {
    const head = {
      position: records.length,
      clockMs: tickMs,
      receivedUnixMs: START_UNIX_MS + tickMs
    }
    records.push({ kind: 'tick', ...head })
    tickMs += random() < 0.05 ? 15_000 : 200 + random() * 1500
  }
  const metrics = (payloads: readonly Uint8Array[], atMs: number): void => {
    for (const bytes of payloads) {
      records.push({
        kind: 'metrics',
        position: records.length,
        clockMs: atMs,
        receivedUnixMs: START_UNIX_MS + atMs,
        ...compressed(bytes, records.length % 2 === 0 ? 'gzip' : 'zstd')
      })
    }
  }
  for (const { atMs, spans } of deliveries) {
    while (tickMs <= atMs) tick()
    const bytes = encodePayload(deltas === undefined ? spans : deltas.mark(spans))
    const chance = random()
    records.push({
      kind: 'payload',
      position: records.length,
      clockMs: atMs,
      receivedUnixMs: START_UNIX_MS + atMs,
      ...compressed(bytes, chance < 0.35 ? 'gzip' : chance < 0.7 ? 'zstd' : 'identity')
    })
    if (deltas !== undefined) metrics(deltas.some(), atMs)
  }
  if (deltas !== undefined) metrics(deltas.rest(), tickMs)
  const endMs = (deliveries.at(-1)?.atMs ?? 0) + quietMs
  while (tickMs <= endMs) tick()
  return records
}

function compressed(bytes: Uint8Array, compression: Compression) {
  if (compression === 'identity') return { compression, bytes }
  const compress = compression === 'gzip' ? gzipSync : zstdCompressSync
  return { compression, bytes: new Uint8Array(compress(bytes)) }
}

const STEP_MS = 10_000

/** What each service has counted and not sent yet, and what it will send again. */
class Deltas {
  readonly #random: () => number
  readonly #seen = new Set<string>()
  readonly #pending = new Map<string, TestSpan[]>()
  readonly #sequences = new Map<string, number>()
  readonly #again: Uint8Array[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  mark(spans: readonly TestSpan[]): TestSpan[] {
    for (const span of spans) {
      const id = span.traceId + span.spanId
      // Inner steps are counted from the spans that arrive.
      if (span.kind === KIND.INTERNAL && span.parentSpanId !== undefined) continue
      if (this.#seen.has(id)) continue
      this.#seen.add(id)
      this.#pending.set(span.service, [...(this.#pending.get(span.service) ?? []), span])
    }
    return spans.map((span) => ({ ...span, counted: true }))
  }

  some(): Uint8Array[] {
    const services = [...this.#pending.keys()].filter(() => this.#random() < 0.2)
    const payloads = services.flatMap((service) => this.#send(service))
    if (this.#random() < 0.3) payloads.push(...this.#again.splice(0, 1))
    return payloads
  }

  rest(): Uint8Array[] {
    const payloads = [...this.#pending.keys()].flatMap((service) => this.#send(service))
    return [...payloads, ...this.#again.splice(0)]
  }

  #send(service: string): Uint8Array[] {
    const spans = this.#pending.get(service) ?? []
    this.#pending.delete(service)
    const sequence = (this.#sequences.get(service) ?? 0) + 1
    this.#sequences.set(service, sequence)
    const points = new Map<string, TestPoint & { durationsNano: number[] }>()
    for (const { name, kind, status = 0, startUnixMs, durationMs } of spans) {
      const startMs = Math.round(startUnixMs * 1000) / 1000
      const durationNano = Math.round(durationMs * 1e6)
      const step = Math.floor((startMs + durationNano / 1e6) / STEP_MS) * STEP_MS
      const key = [name, kind, status, step].join()
      const known = points.get(key)
      if (known !== undefined) known.durationsNano.push(durationNano)
      else {
        const point = { name, kind, status, startUnixMs: step, durationsNano: [durationNano] }
        points.set(key, point)
      }
    }
    const bytes = encodeStats(service, `${service}-process`, sequence, [...points.values()])
    if (this.#random() < 0.4) this.#again.push(bytes)
    return this.#random() < 0.3 ? [bytes, bytes] : [bytes]
  }
}

function countOf(deliveries: readonly Delivery[]): { spans: TestSpan[]; duplicates: number } {
  const spans = new Map<string, TestSpan>()
  let count = 0
  for (const span of deliveries.flatMap((delivery) => delivery.spans)) {
    spans.set(span.traceId + span.spanId, span)
    count++
  }
  return { spans: [...spans.values()], duplicates: count - spans.size }
}
