/** Runs a shard in a test: an encoder that writes down what it is given, and the outputs in order. */
import { deriveOptions } from '../../src/derive/options.ts'
import { inflateSync } from '../../src/lib/inflate.ts'
import type { ShardCheckpoint } from '../../src/model/checkpoint.ts'
import type { JournalRecord } from '../../src/model/journal-record.ts'
import type { MetricsSnapshot } from '../../src/model/metrics-snapshot.ts'
import type { ShardStats } from '../../src/model/shard-messages.ts'
import type { StoreBatch, TableRows } from '../../src/model/store-batch.ts'
import type { ShardOptions } from '../../src/pipeline/options.ts'
import { pipelineOptions } from '../../src/pipeline/options.ts'
import { createShard, type Shard } from '../../src/pipeline/shard.ts'
import { sampleOptions } from '../../src/sample/options.ts'
import { stitchOptions } from '../../src/stitch/options.ts'
import type {
  BatchEncoder,
  EdgeDelta,
  KeptTrace,
  SpanMetricsDelta
} from '../../src/store/batch-encoder.ts'

const INFLATED_BYTES_MAX = 64 * 1024 * 1024

/** A kept trace as it was written down: its spans with their own bytes. */
export interface WrittenTrace extends Omit<KeptTrace, 'spans'> {
  readonly spans: readonly {
    readonly service: string
    readonly selfTimeNano: number
    /** Hex of the Span, the Resource and the scope. */
    readonly span: string
    readonly resource: string
    readonly scope: string
  }[]
}

export interface Written {
  readonly traces: WrittenTrace[]
  readonly spanMetrics: SpanMetricsDelta[]
  readonly edges: EdgeDelta[]
}

export function defaultOptions(changes: Partial<ShardOptions> = {}): ShardOptions {
  const declared = { ...stitchOptions, ...deriveOptions, ...sampleOptions, ...pipelineOptions }
  const defaults = Object.entries(declared).map(([name, option]) => [name, option.default])
  return { ...(Object.fromEntries(defaults) as unknown as ShardOptions), ...changes }
}

/** Rows as JSON lines, so that equal bytes mean equal rows and a failing test can be read. */
export function createWritingEncoder(): BatchEncoder {
  let rows: Record<'traces' | 'spanMetrics' | 'edges', string[]> = newRows()
  const hex = (bytes: Uint8Array, at: number, length: number): string =>
    Buffer.from(bytes.subarray(at, at + length)).toString('hex')
  return {
    addTrace(trace) {
      const spans = trace.spans.map((span) => ({
        service: span.service,
        selfTimeNano: span.selfTimeNano,
        span: hex(span.payload, span.spanOffset, span.spanLength),
        resource: hex(span.payload, span.resourceOffset, span.resourceLength),
        scope: hex(span.payload, span.scopeOffset, span.scopeLength)
      }))
      rows.traces.push(JSON.stringify({ ...trace, spans } satisfies WrittenTrace))
    },
    addSpanMetrics(delta) {
      rows.spanMetrics.push(JSON.stringify(delta))
    },
    addEdge(delta) {
      rows.edges.push(JSON.stringify(delta))
    },
    get rowCount() {
      return rows.traces.length + rows.spanMetrics.length + rows.edges.length
    },
    take() {
      const taken = Object.entries(rows)
        .filter(([, lines]) => lines.length > 0)
        .map(
          ([table, lines]): TableRows => ({
            table,
            rowCount: lines.length,
            bytes: new Uint8Array(Buffer.from(lines.join('\n')))
          })
        )
      rows = newRows()
      return taken
    }
  }
}

function newRows() {
  return { traces: [] as string[], spanMetrics: [] as string[], edges: [] as string[] }
}

export function readBatches(batches: Iterable<StoreBatch>): Written {
  const written: Written = { traces: [], spanMetrics: [], edges: [] }
  for (const { tables } of batches) {
    for (const { table, bytes } of tables) {
      const lines = Buffer.from(bytes).toString().split('\n')
      for (const line of lines) written[table as keyof Written].push(JSON.parse(line))
    }
  }
  return written
}

export class ShardRun {
  readonly batches: StoreBatch[] = []
  readonly checkpoints: ShardCheckpoint[] = []
  /** Positions of the checkpoints that later batches have to wait for. */
  readonly barriers: number[] = []
  stats: ShardStats | undefined
  idle = false
  readonly shard: Shard

  constructor(options: ShardOptions = defaultOptions(), shard = 0, shardCount = 1) {
    this.shard = createShard({
      shard,
      shardCount,
      options,
      encoder: createWritingEncoder(),
      inflate: (bytes, compression) => inflateSync(bytes, compression, INFLATED_BYTES_MAX),
      emit: (output) => {
        if (output.type === 'batch') this.batches.push(output.batch)
        else if (output.type === 'checkpoint') {
          this.checkpoints.push(output.checkpoint)
          if (output.barrier) this.barriers.push(output.checkpoint.position)
        } else {
          this.stats = output.stats
          this.idle = output.idle
        }
      }
    })
  }

  start(state?: Uint8Array): { readonly position: number; readonly replayFrom: number } {
    return this.shard.restore('journal', state)
  }

  accept(records: Iterable<JournalRecord>): this {
    for (const record of records) this.shard.accept(record)
    return this
  }

  get written(): Written {
    return readBatches(this.batches)
  }

  snapshot(): MetricsSnapshot {
    this.shard.stored(Number.MAX_SAFE_INTEGER)
    return this.shard.snapshot()
  }
}
