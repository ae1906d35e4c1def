/**
 * A payload's spans on their way into open traces.
 *
 *   inflate ─→ scan ─→ for each row of this shard: seen? ─→ count ─→ into its trace
 *
 * The same payload twice, or a span in two payloads, is counted once: that is asked first. A span that
 * its own process has counted is not counted here; see precounted.ts.
 */
import { isCountedKind, SpanFlags, type SpanRows } from '@spanloom/otlp'
import { shardOf } from '../lib/shard-of.ts'
import type { PayloadRecord } from '../model/journal-record.ts'
import type { SpanFacts } from '../stitch/span-table.ts'
import { Arrival, NO_TRACE } from '../stitch/stitcher.ts'
import type { Inflate } from './inflated-payloads.ts'
import { isOpen, type Replay } from './replay.ts'
import type { ShardTotals } from './shard-state.ts'
import type { Stages } from './stages.ts'

const REMOTE_PARENT = SpanFlags.HAS_IS_REMOTE | SpanFlags.IS_REMOTE

export interface ArrivalParts {
  readonly shard: number
  readonly shardCount: number
  readonly inflate: Inflate
}

export class Arrivals {
  readonly #parts: ArrivalParts
  readonly #stages: Stages
  readonly #totals: ShardTotals
  readonly #facts: SpanFacts = { service: 0, name: 0, peerType: 0, peerName: 0, series: 0 }

  constructor(parts: ArrivalParts, stages: Stages, totals: ShardTotals) {
    this.#parts = parts
    this.#stages = stages
    this.#totals = totals
  }

  /** `decideEarly` is called with a trace that has to make room. */
  accept(record: PayloadRecord, decideEarly: (trace: number) => void): void {
    const rows = this.#scan(record)
    if (rows === undefined) {
      this.#totals.payloadsDropped++
      return
    }
    const { shard, shardCount } = this.#parts
    const { stitcher } = this.#stages
    const slot = stitcher.hold(record, rows.count)
    for (let row = 0; row < rows.count; row++) {
      if (shardOf(rows.traceId, row * 4, shardCount) !== shard) continue
      const arrival = stitcher.look(rows, row)
      if (arrival === Arrival.DUPLICATE) {
        this.#totals.spansDuplicate++
        continue
      }
      if (arrival === Arrival.LATE) this.#totals.spansLate++
      this.#count(rows, row, record)
      const trace = stitcher.add(slot, rows, row, record.clockMs, this.#facts)
      for (let over = stitcher.overLimit(trace); over !== NO_TRACE; ) {
        decideEarly(over)
        over = stitcher.overLimit(NO_TRACE)
      }
    }
    stitcher.unpin(slot)
  }

  /** In a replay: the rows that were open at the checkpoint. They were counted then. */
  reopen(record: PayloadRecord, replay: Replay): void {
    const open = replay.takeRows(record.position)
    if (open.length === 0) return
    const rows = this.#scan(record)
    if (rows === undefined) return
    const { stitcher, spanMetrics } = this.#stages
    const facts = this.#facts
    const slot = stitcher.hold(record, rows.count)
    for (let row = 0; row < rows.count; row++) {
      if (!isOpen(open, row)) continue
      stitcher.reopen(rows, row, replay.decisionOf(rows.traceId, row))
      this.#read(rows, row)
      const kind = rows.kind[row]!
      facts.series = spanMetrics.seriesOf(facts.service, facts.name, kind, rows.status[row]!)
      stitcher.add(slot, rows, row, record.clockMs, facts)
    }
    stitcher.unpin(slot)
  }

  /** `undefined` when it cannot be read. It was checked when it was accepted, so that is our fault. */
  #scan({ compression, bytes }: PayloadRecord): SpanRows | undefined {
    try {
      return this.#stages.scanner.scan(compression === 'gzip' ? this.#parts.inflate(bytes) : bytes)
    } catch {
      return undefined
    }
  }

  #count(rows: SpanRows, row: number, { receivedUnixMs }: PayloadRecord): void {
    this.#read(rows, row)
    const { spanMetrics } = this.#stages
    const { service, name } = this.#facts
    const kind = rows.kind[row]!
    const status = rows.status[row]!
    this.#totals.spansAccepted++
    if (this.#totals.createdUnixMs === 0) this.#totals.createdUnixMs = receivedUnixMs
    if (rows.counted[row] === 1 && isCountedKind(kind, isLocalRoot(rows, row))) {
      this.#facts.series = spanMetrics.touch(service, name, kind, status)
      return
    }
    this.#facts.series = spanMetrics.count(
      service,
      name,
      kind,
      status,
      rows.startUnixMs[row]!,
      Math.max(0, rows.durationNano[row]!),
      receivedUnixMs
    )
  }

  /** What has a name, as names of the shard. */
  #read(rows: SpanRows, row: number): void {
    const { scanner, peers } = this.#stages
    const facts = this.#facts
    facts.service = scanner.nameOf(rows.service[row]!)
    facts.name = scanner.nameOf(rows.name[row]!)
    peers.read(rows, row)
    facts.peerType = peers.type
    facts.peerName = peers.name
  }
}

/** No parent, or one in another process. */
function isLocalRoot(rows: SpanRows, row: number): boolean {
  const hasParent = (rows.parentSpanId[row * 2]! | rows.parentSpanId[row * 2 + 1]!) !== 0
  return !hasParent || (rows.flags[row]! & REMOTE_PARENT) === REMOTE_PARENT
}
