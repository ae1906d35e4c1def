/**
 * Brings the spans of a trace together, and says when a trace is to be decided.
 *
 *   row ─→ seen? ──yes─→ DUPLICATE
 *           no
 *           ├─ trace decided before? ─→ LATE: an entry of its own that follows that decision
 *           └─ else ─→ FRESH
 *
 * A trace is *settled* when nothing in it is missing: a root is there, every parent is there, and
 * every client or producer span that names no database and no queue has a server or consumer
 * child. It is due `settledIdleMs` after its last span when settled, `unsettledIdleMs` after it
 * when not, and `traceAgeMaxMs` after its first span in any case. A late entry needs no root, and
 * its parents may be among the spans that were decided before.
 *
 * All this is a function of the trace and of the tick's clock. The deadlines only say which traces
 * are worth a look: each open trace is looked at once in `settledIdleMs`, so a trace can neither
 * be missed nor be found a tick later than it would be if all were looked at in every tick.
 */
import { SpanKind, type SpanRows } from '@spanloom/otlp'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import type { PayloadRecord } from '../model/journal-record.ts'
import { PeerType, type StitchedTrace } from '../model/stitched-trace.ts'
import { Deadlines } from './deadlines.ts'
import { FingerprintMemory, NOT_REMEMBERED } from './fingerprint-memory.ts'
import { fingerprint, spanFingerprint, traceFingerprint } from './fingerprints.ts'
import type { StitchOptions } from './options.ts'
import { GROUP_NUMBERS, type HeldPayload, PayloadTable } from './payload-table.ts'
import { type SpanFacts, SpanTable } from './span-table.ts'
import { TraceColumns } from './trace-columns.ts'
import { NOT_LATE, TraceTable } from './trace-table.ts'

export const Arrival = { FRESH: 0, LATE: 1, DUPLICATE: 2 } as const

export const NO_TRACE = -1

export class Stitcher {
  #options: StitchOptions
  readonly #spans = new SpanTable()
  readonly #traces = new TraceTable()
  readonly #payloads = new PayloadTable()
  readonly #deadlines = new Deadlines()
  readonly #decidedSpans = new FingerprintMemory()
  readonly #decidedTraces = new FingerprintMemory()
  readonly #columns = new TraceColumns()
  /** Of the last row that `look` looked at. */
  #trace = NO_TRACE
  #decision = NOT_LATE

  constructor(options: StitchOptions) {
    this.#options = options
  }

  /** Open traces are looked at anew: the order of looks must not depend on earlier options. */
  setOptions(options: StitchOptions): void {
    this.#options = options
    for (const trace of this.#traces.rows()) {
      this.#deadlines.disarm(trace)
      this.#arm(trace)
    }
  }

  get openTraces(): number {
    return this.#traces.count
  }

  /** The oldest record that an open trace has a span in; `position` + 1 when none is open. */
  replayFrom(position: number): number {
    const oldest = this.#traces.oldest
    return oldest < 0 ? position + 1 : this.#traces.firstPosition[oldest]!
  }

  hold(record: PayloadRecord, rowCount: number): number {
    return this.#payloads.hold(record, rowCount)
  }

  /** After the last row of a payload: lets go of it when none was for this shard. */
  unpin(slot: number): void {
    this.#payloads.unpin(slot)
  }

  payload(slot: number): HeldPayload {
    return this.#payloads.at(slot)
  }

  /** @hot What a scanned row is. `add` takes the same row next, or none. */
  look(rows: SpanRows, row: number): number {
    const trace = this.#traces.find(rows.traceId, row * 4)
    this.#trace = trace
    this.#decision = NOT_LATE
    const high = rows.spanId[row * 2]!
    const low = rows.spanId[row * 2 + 1]!
    if (trace >= 0 && this.#spans.find(trace, high, low) >= 0) return Arrival.DUPLICATE
    spanFingerprint(rows.traceId, row * 4, high, low)
    if (this.#decidedSpans.tagOf(fingerprint.high, fingerprint.low) !== NOT_REMEMBERED) {
      return Arrival.DUPLICATE
    }
    if (trace >= 0) {
      return this.#traces.decision[trace] === NOT_LATE ? Arrival.FRESH : Arrival.LATE
    }
    traceFingerprint(rows.traceId, row * 4)
    const decision = this.#decidedTraces.tagOf(fingerprint.high, fingerprint.low)
    if (decision === NOT_REMEMBERED) return Arrival.FRESH
    this.#decision = decision
    return Arrival.LATE
  }

  /** Instead of `look`, in a replay: the row is known to be open, and late when `decision` says so. */
  reopen(rows: SpanRows, row: number, decision: number): void {
    this.#trace = this.#traces.find(rows.traceId, row * 4)
    this.#decision = decision
  }

  /** @hot Puts the row that was looked at into its trace, and returns that. */
  add(slot: number, rows: SpanRows, row: number, clockMs: number, facts: SpanFacts): number {
    const traces = this.#traces
    let trace = this.#trace
    if (trace < 0) {
      const { position } = this.#payloads.at(slot)
      trace = traces.add(rows.traceId, row * 4, position, row, clockMs, this.#decision)
      this.#arm(trace)
    }
    const span = this.#spans.add(trace, slot, this.#groupOf(slot, rows, row), rows, row, facts)
    if (traces.lastSpan[trace]! < 0) traces.firstSpan[trace] = span
    else this.#spans.next[traces.lastSpan[trace]!] = span
    traces.lastSpan[trace] = span
    traces.spanCount[trace]!++
    traces.lastClockMs[trace] = clockMs
    traces.unsettled[trace] = 0
    this.#payloads.open(slot, row)
    return trace
  }

  /** The trace to decide now because a limit is reached, or NO_TRACE. */
  overLimit(trace: number): number {
    const options = this.#options
    if (trace >= 0 && this.#traces.spanCount[trace]! >= options.spansPerTraceMax) return trace
    const full =
      this.#spans.count >= options.openSpansMax ||
      this.#payloads.byteCount > options.openPayloadBytesMax
    return full ? this.#traces.oldest : NO_TRACE
  }

  /** Traces that are due at `clockMs`, in the order of their first spans. */
  due(clockMs: number): number[] {
    const due: number[] = []
    this.#deadlines.takeDue(clockMs, (trace) => {
      const deadline = this.#deadlineOf(trace, clockMs)
      if (deadline > clockMs) {
        const look = clockMs + this.#options.settledIdleMs
        this.#deadlines.arm(trace, Math.min(deadline, look))
      } else {
        // Armed, so that `take` finds it where it finds all others.
        this.#deadlines.arm(trace, deadline)
        due.push(trace)
      }
    })
    return due.sort((left, right) => this.#traces.compare(left, right))
  }

  isOverAge(trace: number, clockMs: number): boolean {
    return clockMs - this.#traces.firstClockMs[trace]! >= this.#options.traceAgeMaxMs
  }

  /**
   * Removes the trace from the tables and returns it; it stays remembered as decided. The payloads
   * its spans point into are held until `letGo`. Borrowed until the next `take`.
   */
  take(trace: number): StitchedTrace {
    const { decision, firstSpan, traceId } = this.#traces
    const words = traceId.subarray(trace * 4, trace * 4 + 4)
    this.#columns.fill(this.#spans, trace, firstSpan[trace]!, words, decision[trace]!)
    this.#deadlines.disarm(trace)
    this.#traces.remove(trace)
    return this.#columns
  }

  /** Remembers the decision on the trace last taken, and lets go of its spans. */
  letGo(decision: number): void {
    const columns = this.#columns
    const { decidedSpansMax, decidedTracesMax } = this.#options
    for (let index = 0; index < columns.count; index++) {
      spanFingerprint(columns.traceId, 0, columns.spanIdHigh[index]!, columns.spanIdLow[index]!)
      this.#decidedSpans.add(fingerprint.high, fingerprint.low, 0, decidedSpansMax)
      const row = columns.row[index]!
      const slot = columns.payload[index]!
      this.#payloads.close(slot, this.#spans.payloadRow[row]!)
      this.#payloads.release(slot)
      this.#spans.remove(row)
    }
    traceFingerprint(columns.traceId, 0)
    this.#decidedTraces.add(fingerprint.high, fingerprint.low, decision, decidedTracesMax)
  }

  markNames(marks: Uint8Array): void {
    this.#spans.markNames(marks)
  }

  moveNames(moved: Int32Array): void {
    this.#spans.moveNames(moved)
  }

  write(writer: BinaryWriter): void {
    this.#decidedSpans.write(writer)
    this.#decidedTraces.write(writer)
    const held = this.#payloads.byPosition()
    writer.count(held.length)
    for (const payload of held) {
      writer.count(payload.position)
      writer.blob(payload.openRows)
    }
    const late = [...this.#traces.rows()].filter((row) => this.#traces.decision[row] !== NOT_LATE)
    writer.count(late.length)
    for (const row of late) {
      writer.column(this.#traces.traceId.subarray(row * 4, row * 4 + 4), 4)
      writer.count(this.#traces.decision[row]!)
    }
  }

  /** What was decided. What is open comes back with the records; see replay.ts. */
  read(reader: BinaryReader): void {
    this.#decidedSpans.read(reader)
    this.#decidedTraces.read(reader)
  }

  /** For the first moment at which it could be due. */
  #arm(trace: number): void {
    const { settledIdleMs, traceAgeMaxMs } = this.#options
    const idle = this.#traces.lastClockMs[trace]! + settledIdleMs
    this.#deadlines.arm(trace, Math.min(idle, this.#traces.firstClockMs[trace]! + traceAgeMaxMs))
  }

  #groupOf(slot: number, rows: SpanRows, row: number): number {
    const { groups } = this.#payloads.at(slot)
    const last = groups.length - GROUP_NUMBERS
    const resource = rows.resourceOffset[row]!
    const scope = rows.scopeOffset[row]!
    // Rows come in the payload's order, so a group's rows stand together.
    if (last < 0 || groups[last] !== resource || groups[last + 2] !== scope) {
      groups.push(resource, rows.resourceLength[row]!, scope, rows.scopeLength[row]!)
    }
    return groups.length / GROUP_NUMBERS - 1
  }

  #deadlineOf(trace: number, clockMs: number): number {
    const { settledIdleMs, traceAgeMaxMs } = this.#options
    const unsettledIdleMs = Math.max(settledIdleMs, this.#options.unsettledIdleMs)
    const traces = this.#traces
    const oldest = traces.firstClockMs[trace]! + traceAgeMaxMs
    if (oldest <= clockMs) return oldest
    const last = traces.lastClockMs[trace]!
    const settledAt = last + settledIdleMs
    if (settledAt > clockMs) return Math.min(settledAt, oldest)
    if (traces.unsettled[trace] === 0 && this.#isSettled(trace)) return settledAt
    traces.unsettled[trace] = 1
    return Math.min(last + unsettledIdleMs, oldest)
  }

  #isSettled(trace: number): boolean {
    const spans = this.#spans
    const late = this.#traces.decision[trace] !== NOT_LATE
    let hasRoot = late
    for (let row = this.#traces.firstSpan[trace]!; row >= 0; row = spans.next[row]!) {
      if (!spans.hasParent(row)) {
        hasRoot = true
        continue
      }
      const high = spans.parentHigh[row]!
      const low = spans.parentLow[row]!
      const parent = spans.find(trace, high, low)
      if (parent < 0) {
        if (!late) return false
        spanFingerprint(this.#traces.traceId, trace * 4, high, low)
        const decided = this.#decidedSpans.tagOf(fingerprint.high, fingerprint.low)
        if (decided === NOT_REMEMBERED) return false
      } else if (spans.kind[row] === SpanKind.SERVER || spans.kind[row] === SpanKind.CONSUMER) {
        spans.answered[parent] = 1
      }
    }
    return hasRoot && this.#allAnswered(trace)
  }

  #allAnswered(trace: number): boolean {
    const spans = this.#spans
    for (let row = this.#traces.firstSpan[trace]!; row >= 0; row = spans.next[row]!) {
      if (spans.peerType[row] === PeerType.EXTERNAL && spans.answered[row] === 0) return false
    }
    return true
  }
}
