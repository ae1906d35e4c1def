/**
 * Seeded traffic as journal records: traces over several services, payloads that come twice, out
 * of order or much too late, spans that never come, ticks with jitter and pauses between them.
 */
import { gzipSync } from 'node:zlib'
import type { JournalRecord } from '../../src/model/journal-record.ts'
import { encodePayload, KIND, randomHex, randomOf, type TestSpan } from './payloads.ts'

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
  return { records: toRecords(random, merged, quietMs), ...countOf(merged) }
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
  quietMs: number
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
  for (const { atMs, spans } of deliveries) {
    while (tickMs <= atMs) tick()
    const bytes = encodePayload(spans)
    const compressed = random() < 0.7
    records.push({
      kind: 'payload',
      position: records.length,
      clockMs: atMs,
      receivedUnixMs: START_UNIX_MS + atMs,
      compression: compressed ? 'gzip' : 'identity',
      bytes: compressed ? new Uint8Array(gzipSync(bytes)) : bytes
    })
  }
  const endMs = (deliveries.at(-1)?.atMs ?? 0) + quietMs
  while (tickMs <= endMs) tick()
  return records
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
