/**
 * Rows of decided traces and rollups → batches for the store, in parts of bounded size. Parts that
 * are full before the tick wait for it: a batch carries the position of the tick that cuts it.
 */
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

export class BatchCutter {
  readonly #encoder: BatchEncoder
  readonly #parts: Part[] = []
  #spanCount = 0
  #traceCount = 0

  constructor(encoder: BatchEncoder) {
    this.#encoder = encoder
  }

  /** Nothing waits for a tick. */
  get empty(): boolean {
    return this.#parts.length === 0 && this.#encoder.rowCount === 0
  }

  addTrace(trace: KeptTrace, batchSpansMax: number): void {
    this.#encoder.addTrace(trace)
    this.#spanCount += trace.spans.length
    if (!trace.late) this.#traceCount++
    if (this.#spanCount >= batchSpansMax) this.#cut()
  }

  addSpanMetrics(delta: SpanMetricsDelta): void {
    this.#encoder.addSpanMetrics(delta)
  }

  addEdge(delta: EdgeDelta): void {
    this.#encoder.addEdge(delta)
  }

  /** Hands over all, with tokens that the same records give again. */
  take(journalId: string, shard: number, position: number): StoreBatch[] {
    this.#cut()
    return this.#parts.splice(0).map((part, index) => ({
      token: `${journalId}/${shard}/${position}/${index}`,
      shard,
      position,
      part: index,
      ...part
    }))
  }

  #cut(): void {
    if (this.#encoder.rowCount === 0) return
    const tables = this.#encoder.take()
    this.#parts.push({ tables, spanCount: this.#spanCount, traceCount: this.#traceCount })
    this.#spanCount = 0
    this.#traceCount = 0
  }
}
