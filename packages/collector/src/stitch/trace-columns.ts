/** A trace's spans, copied out of the span table into columns of their own; reused for each trace. */
import { grown } from '../lib/grow.ts'
import { NO_PARENT, PARENT_MISSING, type StitchedTrace } from '../model/stitched-trace.ts'
import type { SpanTable } from './span-table.ts'
import { NOT_LATE } from './trace-table.ts'

const INITIAL_SPANS = 64

export class TraceColumns implements StitchedTrace {
  readonly traceId = new Uint32Array(4)
  late = false
  decision = NOT_LATE
  count = 0
  /** The span table's rows. */
  row = new Int32Array(INITIAL_SPANS)
  spanIdHigh = new Uint32Array(INITIAL_SPANS)
  spanIdLow = new Uint32Array(INITIAL_SPANS)
  parent = new Int32Array(INITIAL_SPANS)
  startUnixMs = new Float64Array(INITIAL_SPANS)
  durationNano = new Float64Array(INITIAL_SPANS)
  service = new Int32Array(INITIAL_SPANS)
  name = new Int32Array(INITIAL_SPANS)
  peerName = new Int32Array(INITIAL_SPANS)
  peerType = new Uint8Array(INITIAL_SPANS)
  kind = new Uint8Array(INITIAL_SPANS)
  status = new Uint8Array(INITIAL_SPANS)
  collapsed = new Uint8Array(INITIAL_SPANS)
  collapsedCount = 0
  series = new Int32Array(INITIAL_SPANS)
  payload = new Int32Array(INITIAL_SPANS)
  spanOffset = new Int32Array(INITIAL_SPANS)
  spanLength = new Int32Array(INITIAL_SPANS)
  group = new Int32Array(INITIAL_SPANS)

  /** Ends the list through `next` from `firstSpan` on: there, each row's place here is noted. */
  fill(
    spans: SpanTable,
    trace: number,
    firstSpan: number,
    traceId: Uint32Array,
    decision: number
  ): void {
    this.traceId.set(traceId)
    this.decision = decision
    this.late = decision !== NOT_LATE
    this.count = 0
    this.collapsedCount = 0
    for (let row = firstSpan; row >= 0; ) {
      const next = spans.next[row]!
      if (this.count === this.row.length) this.#grow(this.count * 2)
      this.#copy(spans, row, this.count)
      spans.next[row] = this.count++
      row = next
    }
    for (let index = 0; index < this.count; index++) {
      this.parent[index] = parentOf(spans, trace, this.row[index]!)
    }
  }

  #copy(spans: SpanTable, row: number, index: number): void {
    this.row[index] = row
    this.spanIdHigh[index] = spans.spanIdHigh[row]!
    this.spanIdLow[index] = spans.spanIdLow[row]!
    this.startUnixMs[index] = spans.startUnixMs[row]!
    this.durationNano[index] = spans.durationNano[row]!
    this.service[index] = spans.service[row]!
    this.name[index] = spans.name[row]!
    this.peerName[index] = spans.peerName[row]!
    this.peerType[index] = spans.peerType[row]!
    this.kind[index] = spans.kind[row]!
    this.status[index] = spans.status[row]!
    this.collapsed[index] = spans.collapsed[row]!
    this.collapsedCount += spans.collapsed[row]!
    this.series[index] = spans.series[row]!
    this.payload[index] = spans.payload[row]!
    this.spanOffset[index] = spans.spanOffset[row]!
    this.spanLength[index] = spans.spanLength[row]!
    this.group[index] = spans.group[row]!
  }

  #grow(length: number): void {
    this.row = grown(this.row, length)
    this.spanIdHigh = grown(this.spanIdHigh, length)
    this.spanIdLow = grown(this.spanIdLow, length)
    this.parent = grown(this.parent, length)
    this.startUnixMs = grown(this.startUnixMs, length)
    this.durationNano = grown(this.durationNano, length)
    this.service = grown(this.service, length)
    this.name = grown(this.name, length)
    this.peerName = grown(this.peerName, length)
    this.peerType = grown(this.peerType, length)
    this.kind = grown(this.kind, length)
    this.status = grown(this.status, length)
    this.collapsed = grown(this.collapsed, length)
    this.series = grown(this.series, length)
    this.payload = grown(this.payload, length)
    this.spanOffset = grown(this.spanOffset, length)
    this.spanLength = grown(this.spanLength, length)
    this.group = grown(this.group, length)
  }
}

function parentOf(spans: SpanTable, trace: number, row: number): number {
  if (!spans.hasParent(row)) return NO_PARENT
  const parent = spans.find(trace, spans.parentHigh[row]!, spans.parentLow[row]!)
  return parent < 0 ? PARENT_MISSING : spans.next[parent]!
}
