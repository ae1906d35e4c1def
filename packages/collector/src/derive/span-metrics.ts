/**
 * Span metrics: calls and durations per series (service, operation, kind, status), counted as
 * spans arrive; and what each operation (service, operation, kind) gained per time step.
 *
 * Keys are ids of the name table, in fixed places, so that no two series can share one. A series
 * that finds no room is counted under the overflow series: totals stay exact, and rollups keep its
 * service as long as that has room.
 *
 *   span ─→ series ─→ calls, sum, buckets        cumulative, for metric exporters
 *              └────→ operation, step ─→ delta   for the rollup tables
 */
import { bucketOf, bucketOfCell, logIndexOf, type SpanStatsPoint, StatusCode } from '@spanloom/otlp'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { grown } from '../lib/grow.ts'
import type { NameTable } from '../lib/name-table.ts'
import type { Exemplar, SpanSeriesColumns } from '../model/metrics-snapshot.ts'
import { HistogramSlab } from './histogram-columns.ts'
import { KeyTable } from './key-table.ts'
import { type RollupDelta, RollupTable, stepOf } from './rollup-table.ts'

/** What stands for a name that found no room. */
export const OVERFLOW_NAME = '(overflow)'
const INITIAL_SERIES = 64

/** Overflow operations, one for each service and kind: services come from resources, and are few. */
const OVERFLOW_OPERATIONS_MAX = 4096

export interface OperationDelta extends Omit<RollupDelta, 'key'> {
  readonly service: string
  readonly operation: string
  readonly kind: number
}

export class SpanMetrics {
  seriesMax: number
  /** Calls that were counted under the overflow series. */
  overflowCalls = 0
  readonly #names: NameTable
  readonly #stepMs: number
  /** (service, name, kind and status). */
  readonly #series = new KeyTable()
  /** (service, name, kind). */
  readonly #operations = new KeyTable()
  /** The operation of each series. */
  #operationOf = new Int32Array(INITIAL_SERIES)
  #calls = new Float64Array(INITIAL_SERIES)
  readonly #durations = new HistogramSlab()
  readonly #rollups = new RollupTable()
  #overflow = -1
  #overflowOperations = 0

  constructor(names: NameTable, seriesMax: number, stepMs: number) {
    this.#names = names
    this.seriesMax = seriesMax
    this.#stepMs = stepMs
    this.#durations.reserve(INITIAL_SERIES)
  }

  get seriesCount(): number {
    return this.#series.count
  }

  get rollupCount(): number {
    return this.#rollups.count
  }

  /** @hot Counts a span that is no duplicate; returns its series. */
  count(
    service: number,
    name: number,
    kind: number,
    status: number,
    startUnixMs: number,
    durationNano: number,
    receivedUnixMs: number
  ): number {
    const series = this.touch(service, name, kind, status)
    const operation = this.#operationFor(series, service, kind, 1)
    this.#calls[series]!++
    this.#durations.add(series, bucketOf(durationNano), durationNano)
    const step = stepOf(startUnixMs + durationNano / 1e6, receivedUnixMs, this.#stepMs)
    const failed = status === StatusCode.ERROR
    this.#rollups.add(operation, step, failed, durationNano, logIndexOf(durationNano))
    return series
  }

  /**
   * Calls that were counted in their process. `name` -1: under its own overflow, which is one with the
   * overflow here.
   */
  addCounted(service: number, name: number, point: SpanStatsPoint, receivedUnixMs: number): void {
    const { kind, status, calls, sumNano, cells } = point
    const series = name < 0 ? this.#overflowSeries() : this.touch(service, name, kind, status)
    const operation = this.#operationFor(series, service, kind, calls)
    this.#calls[series]! += calls
    this.#durations.addSum(series, sumNano)
    for (let index = 0; index < cells.length; index += 2) {
      const bucket = bucketOfCell(cells[index]!)
      this.#durations.addCounted(series, bucket, cells[index + 1]!)
    }
    const step = stepOf(point.startUnixMs, receivedUnixMs, this.#stepMs)
    this.#rollups.addCounted(operation, step, point, status === StatusCode.ERROR)
  }

  /** @hot The series of such a span, made when there is room for it, and without counting. */
  touch(service: number, name: number, kind: number, status: number): number {
    const series = this.#series.find(service, name, kind * 4 + status)
    if (series >= 0) return series
    if (this.#series.count < this.seriesMax) return this.#addSeries(service, name, kind, status)
    return this.#overflowSeries()
  }

  #operationFor(series: number, service: number, kind: number, calls: number): number {
    if (series !== this.#overflow) return this.#operationOf[series]!
    this.overflowCalls += calls
    return this.#overflowOperation(service, kind)
  }

  /** The series that counted such a span. Series are never taken back, so it still does. */
  seriesOf(service: number, name: number, kind: number, status: number): number {
    const series = this.#series.find(service, name, kind * 4 + status)
    return series >= 0 ? series : this.#overflow
  }

  flush(visit: (delta: OperationDelta) => void): void {
    this.#rollups.flush(({ key, ...delta }) => {
      visit({
        ...delta,
        service: this.#names.text(this.#operations.first(key)),
        operation: this.#names.text(this.#operations.second(key)),
        kind: this.#operations.third(key)
      })
    })
  }

  columns(exemplars: readonly Exemplar[]): SpanSeriesColumns {
    const all = Array.from({ length: this.#series.count }, (_, series) => series)
    const text = (name: number): string => (name < 0 ? '' : this.#names.text(name))
    return {
      service: all.map((series) => text(this.#series.first(series))),
      spanName: all.map((series) => text(this.#series.second(series))),
      kind: Uint8Array.from(all, (series) => this.#series.third(series) >> 2),
      status: Uint8Array.from(all, (series) => this.#series.third(series) & 3),
      calls: this.#calls.slice(0, all.length),
      duration: this.#durations.columns(all.length),
      exemplars,
      overflow: this.#overflow
    }
  }

  markNames(marks: Uint8Array): void {
    this.#series.markNames(marks)
    this.#operations.markNames(marks)
  }

  moveNames(moved: Int32Array): void {
    this.#series.moveNames(moved)
    this.#operations.moveNames(moved)
  }

  write(writer: BinaryWriter): void {
    const count = this.#series.count
    this.#series.write(writer)
    this.#operations.write(writer)
    writer.column(this.#operationOf, count)
    writer.column(this.#calls, count)
    this.#durations.write(writer, count)
    writer.count(this.#overflow + 1)
    writer.count(this.#overflowOperations)
    writer.count(this.overflowCalls)
  }

  read(reader: BinaryReader): void {
    this.#series.read(reader)
    this.#operations.read(reader)
    this.#operationOf = reader.integers()
    this.#calls = reader.floats()
    this.#durations.read(reader)
    this.#overflow = reader.count() - 1
    this.#overflowOperations = reader.count()
    this.overflowCalls = reader.count()
    this.#reserve(Math.max(INITIAL_SERIES, this.#series.count))
  }

  #addSeries(service: number, name: number, kind: number, status: number): number {
    const series = this.#series.add(service, name, kind * 4 + status)
    if (series === this.#calls.length) this.#reserve(series * 2)
    const known = this.#operations.find(service, name, kind)
    this.#operationOf[series] = known >= 0 ? known : this.#operations.add(service, name, kind)
    return series
  }

  /** Beyond the limit by one; its key is no name's. */
  #overflowSeries(): number {
    if (this.#overflow < 0) {
      this.#overflow = this.#series.add(-1, -1, 0)
      if (this.#overflow === this.#calls.length) this.#reserve(this.#overflow * 2)
      this.#operationOf[this.#overflow] = -1
    }
    return this.#overflow
  }

  #overflowOperation(service: number, kind: number): number {
    const overflow = this.#names.idOf(OVERFLOW_NAME)
    const known = this.#operations.find(service, overflow, kind)
    if (known >= 0) return known
    if (this.#overflowOperations < OVERFLOW_OPERATIONS_MAX) {
      this.#overflowOperations++
      return this.#operations.add(service, overflow, kind)
    }
    const last = this.#operations.find(overflow, overflow, kind)
    return last >= 0 ? last : this.#operations.add(overflow, overflow, kind)
  }

  #reserve(length: number): void {
    this.#operationOf = grown(this.#operationOf, length)
    this.#calls = grown(this.#calls, length)
    this.#durations.reserve(length)
  }
}
