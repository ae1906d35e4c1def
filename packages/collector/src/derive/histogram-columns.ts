/** Explicit-bucket histograms of many series: one slab, DURATION_BUCKET_COUNT numbers a series. */
import { DURATION_BUCKET_COUNT } from '@spanloom/otlp'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { grown } from '../lib/grow.ts'
import type { HistogramColumns } from '../model/metrics-snapshot.ts'

export class HistogramSlab {
  /** Sums of integers: exact up to 2^53 ns, and good to a part in 10^16 beyond. */
  #sumsNano = new Float64Array(0)
  #buckets = new Float64Array(0)

  /** @hot The series must be below what `reserve` made room for. */
  add(series: number, bucket: number, durationNano: number): void {
    this.#sumsNano[series]! += durationNano
    this.#buckets[series * DURATION_BUCKET_COUNT + bucket]!++
  }

  addCounted(series: number, bucket: number, count: number): void {
    this.#buckets[series * DURATION_BUCKET_COUNT + bucket]! += count
  }

  addSum(series: number, sumNano: number): void {
    this.#sumsNano[series]! += sumNano
  }

  reserve(seriesCount: number): void {
    this.#sumsNano = grown(this.#sumsNano, seriesCount)
    this.#buckets = grown(this.#buckets, seriesCount * DURATION_BUCKET_COUNT)
  }

  /** A copy: it leaves the thread. */
  columns(seriesCount: number): HistogramColumns {
    return {
      sumsMs: this.#sumsNano.slice(0, seriesCount).map((nano) => nano / 1e6),
      buckets: this.#buckets.slice(0, seriesCount * DURATION_BUCKET_COUNT)
    }
  }

  write(writer: BinaryWriter, seriesCount: number): void {
    writer.column(this.#sumsNano, seriesCount)
    writer.column(this.#buckets, seriesCount * DURATION_BUCKET_COUNT)
  }

  /** Then `reserve`: the columns are as long as what was written. */
  read(reader: BinaryReader): void {
    this.#sumsNano = reader.floats()
    this.#buckets = reader.floats()
  }
}
