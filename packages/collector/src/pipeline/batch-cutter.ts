/**
 * Rows of decided traces and rollups → batches for the store, in parts of bounded size. Parts that
 * are full before the tick wait for it: a batch carries the position of the tick that cuts it.
 */
import type { TickRecord } from '../model/journal-record.ts'
import type { StoreBatch, TableRows } from '../model/store-batch.ts'
import type {
  BatchEncoder,
  EdgeDelta,
  KeptTrace,
  SpanMetricsDelta
} from '../store/batch-encoder.ts'

interface Part {
  readonly tables: readonly TableRows[]
  readonly spanCount: number
  readonly traceCount: number
}

/** What an encoder could not read of what it was given: dropped, and counted. */
export type CountingEncoder = BatchEncoder & { readonly spansUndecodable?: number }

export class BatchCutter {
  readonly #encoder: CountingEncoder
  readonly #parts: Part[] = []
  #spanCount = 0
  #traceCount = 0

  constructor(encoder: CountingEncoder) {
    this.#encoder = encoder
  }

  /** Nothing waits for a tick. */
  get empty(): boolean {
    return this.#parts.length === 0 && this.#encoder.rowCount === 0
  }

  /** Returns how many of its spans were dropped because they cannot be decoded. */
  addTrace(trace: KeptTrace, batchSpansMax: number, cutUnixMs: number): number {
    const before = this.#encoder.spansUndecodable ?? 0
    this.#encoder.addTrace(trace)
    const dropped = (this.#encoder.spansUndecodable ?? 0) - before
    this.#spanCount += trace.spans.length - dropped
    if (!trace.late) this.#traceCount++
    if (this.#spanCount >= batchSpansMax) this.#cut(cutUnixMs)
    return dropped
  }

  addSpanMetrics(delta: SpanMetricsDelta): void {
    this.#encoder.addSpanMetrics(delta)
  }

  addEdge(delta: EdgeDelta): void {
    this.#encoder.addEdge(delta)
  }

  /** Hands over all, with tokens that the same records give again. */
  take(journalId: string, shard: number, tick: TickRecord): StoreBatch[] {
    const { position } = tick
    this.#cut(tick.receivedUnixMs)
    return this.#parts.splice(0).map((part, index) => ({
      token: `${journalId}/${shard}/${position}/${index}`,
      shard,
      position,
      part: index,
      ...part
    }))
  }

  #cut(cutUnixMs: number): void {
    if (this.#encoder.rowCount === 0) return
    const tables = this.#encoder.take(cutUnixMs)
    this.#parts.push({ tables, spanCount: this.#spanCount, traceCount: this.#traceCount })
    this.#spanCount = 0
    this.#traceCount = 0
  }
}
