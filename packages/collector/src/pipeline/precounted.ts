/**
 * Spans that were counted in their process, on their way into the span metrics.
 *
 *   inflate ─→ decode ─→ for each delta of this shard: taken before? ─→ into the series of its spans
 *
 * A stream of deltas belongs to one shard, by its name. A shard that is not its own passes over it.
 */
import {
  decodeMetrics,
  type KeyText,
  readSpanStats,
  SERVICE_NAME,
  type SpanStats
} from '@spanloom/otlp'
import { finishHash, mixWord } from '../lib/hash.ts'
import type { MetricsRecord } from '../model/journal-record.ts'
import { POINTS_MAX } from '../model/metric-limits.ts'
import type { Inflate } from './inflated-payloads.ts'
import type { ShardTotals } from './shard-state.ts'
import type { Stages } from './stages.ts'

export interface PrecountedParts {
  readonly shard: number
  readonly shardCount: number
  readonly inflate: Inflate
}

export class Precounted {
  readonly #parts: PrecountedParts
  readonly #stages: Stages
  readonly #totals: ShardTotals

  constructor(parts: PrecountedParts, stages: Stages, totals: ShardTotals) {
    this.#parts = parts
    this.#stages = stages
    this.#totals = totals
  }

  accept(record: MetricsRecord): void {
    const all = this.#decode(record)
    if (all === undefined) {
      this.#totals.payloadsDropped++
      return
    }
    const { shard, shardCount } = this.#parts
    this.#stages.scanner.makeRoom()
    for (const stats of all) {
      if (streamHash(stats.stream) % shardCount !== shard) continue
      if (this.#stages.deltaStreams.take(stats.stream, stats.sequence)) {
        this.#add(stats, record.receivedUnixMs)
      } else {
        this.#totals.deltasDuplicate++
      }
    }
  }

  #add({ resource, points }: SpanStats, receivedUnixMs: number): void {
    const { scanner, spanMetrics } = this.#stages
    const service = scanner.nameOfService(serviceOf(resource))
    if (this.#totals.createdUnixMs === 0) this.#totals.createdUnixMs = receivedUnixMs
    for (const point of points) {
      this.#totals.callsPrecounted += point.calls
      const name = point.overflow ? -1 : scanner.nameOfText(point.name)
      spanMetrics.addCounted(service, name, point, receivedUnixMs)
    }
  }

  /** `undefined` when it cannot be read. It was when it was accepted, so that is our fault. */
  #decode({ compression, bytes }: MetricsRecord): SpanStats[] | undefined {
    try {
      const plain = compression === 'identity' ? bytes : this.#parts.inflate(bytes, compression)
      const { metrics } = decodeMetrics(plain, POINTS_MAX)
      return metrics.map(readSpanStats).filter((stats) => stats !== undefined)
    } catch {
      return undefined
    }
  }
}

function serviceOf(resource: readonly KeyText[]): string {
  return resource.findLast(({ key }) => key === SERVICE_NAME)?.text ?? ''
}

function streamHash(stream: string): number {
  let hash = 0
  for (let at = 0; at < stream.length; at++) hash = mixWord(hash, stream.charCodeAt(at))
  return finishHash(hash) >>> 0
}
