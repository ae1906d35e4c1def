/**
 * A payload's spans on their way into open traces.
 *
 *   inflate ─→ scan ─→ for each row of this shard: seen? ─→ count ─→ into its trace
 *
 * The same payload twice, or a span in two payloads, is counted once: that is asked first. A span that
 * its own process has counted is not counted here; see precounted.ts.
 */
import { isCountedKind, readCollapsedCalls, SpanFlags, type SpanRows } from '@spanloom/otlp'
import { shardOf } from '../lib/shard-of.ts'
import type { PayloadRecord } from '../model/journal-record.ts'
import { isCollapsed } from '../model/wanted-keys.ts'
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
  /** The payload that was scanned last. */
  #bytes: Uint8Array = new Uint8Array(0)
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
      this.#bytes = compression === 'identity' ? bytes : this.#parts.inflate(bytes, compression)
      return this.#stages.scanner.scan(this.#bytes)
    } catch {
      return undefined
    }
  }

  #count(rows: SpanRows, row: number, { receivedUnixMs }: PayloadRecord): void {
    this.#read(rows, row)
    this.#totals.spansAccepted++
    if (this.#totals.createdUnixMs === 0) this.#totals.createdUnixMs = receivedUnixMs
    const kind = rows.kind[row]!
    if (rows.counted[row] === 1 && isCountedKind(kind, isLocalRoot(rows, row))) {
      const { service, name } = this.#facts
      this.#facts.series = this.#stages.spanMetrics.touch(service, name, kind, rows.status[row]!)
      return
    }
    const startUnixMs = rows.startUnixMs[row]!
    if (isCollapsed(rows, row)) {
      const { spanOffset, spanLength } = rows
      const calls = readCollapsedCalls(this.#bytes, spanOffset[row]!, spanLength[row]!)
      if (calls !== undefined) {
        for (let call = 0; call < calls.count; call++) {
          const callUnixMs = startUnixMs + calls.startNano[call]! / 1e6
          this.#countCall(rows, row, callUnixMs, calls.durationNano[call]!, receivedUnixMs)
        }
        return
      }
    }
    this.#countCall(rows, row, startUnixMs, Math.max(0, rows.durationNano[row]!), receivedUnixMs)
  }

  /** A span is a call; one that was collapsed by its sender is several. */
  #countCall(
    rows: SpanRows,
    row: number,
    startUnixMs: number,
    durationNano: number,
    receivedUnixMs: number
  ): void {
    this.#facts.series = this.#stages.spanMetrics.count(
      this.#facts.service,
      this.#facts.name,
      rows.kind[row]!,
      rows.status[row]!,
      startUnixMs,
      durationNano,
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
