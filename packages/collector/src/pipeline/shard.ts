/**
 * One shard: the traces whose ids hash to it, from journal records to batches.
 *
 *                payload record                                   tick record
 *                      │                                               │
 *   inflate ─→ scan ─→ stitch: seen? ─→ derive: span metrics     stitch: which are due?
 *                        │ duplicate: counted, no more                 │ each, oldest first
 *                        └ else: into its trace                  sample: decide
 *                              │ over a limit: decided early     derive: edges, self time
 *                              └──────────────────────────────→  store: rows
 *                                                                      │
 *                                             rollups ─→ rows ─→ batches ─→ checkpoint
 *
 * It is a pure, synchronous function of its records in the order of their positions: the same
 * records give the same batches, byte for byte, whatever crashed in between. Three rules make it so:
 *
 * - Nothing but `record` counts: no clock, no chance, no order of hash tables in any output.
 * - A checkpoint is taken at a tick only, after its batches. It knows each open span by record and
 *   row, so a replay puts back exactly those, and counts nothing twice.
 * - Options of a new start wait for the first tick that is live, and a checkpoint with them follows
 *   at once, marked as a barrier: it has to be saved before any later batch is stored.
 *
 * Limits: see the options of stitch and derive. Reaching one decides a trace early or counts under
 * an overflow series; no span is ever dropped here.
 */

import { CollectorError } from '../errors.ts'
import type { ShardCheckpoint } from '../model/checkpoint.ts'
import type {
  JournalRecord,
  MetricsRecord,
  PayloadRecord,
  TickRecord
} from '../model/journal-record.ts'
import type { MetricsSnapshot } from '../model/metrics-snapshot.ts'
import type { FromShard, ShardStats } from '../model/shard-messages.ts'
import { DEFAULT_POLICIES, type PolicyConfig } from '../sample/policies.ts'
import { Arrivals } from './arrivals.ts'
import { BatchCutter, type CountingEncoder } from './batch-cutter.ts'
import { Completion } from './completion.ts'
import { type Inflate, InflatedPayloads } from './inflated-payloads.ts'
import type { ShardOptions } from './options.ts'
import { Precounted } from './precounted.ts'
import type { Replay } from './replay.ts'
import { newTotals, readState, type ShardTotals, writeState } from './shard-state.ts'
import { Stages } from './stages.ts'

export type ShardOutput = Extract<FromShard, { type: 'batch' | 'checkpoint' | 'progress' }>

export interface ShardParts {
  readonly shard: number
  readonly shardCount: number
  readonly options: ShardOptions
  readonly policies?: readonly PolicyConfig[]
  readonly encoder: CountingEncoder
  /** What is not `identity`. */
  readonly inflate: Inflate
  readonly emit: (output: ShardOutput) => void
}

export interface Shard {
  /**
   * First, once. Records are then wanted from `replayFrom` on.
   * @throws CollectorError PIPELINE_STATE_DAMAGED, PIPELINE_STATE_VERSION
   */
  restore(
    journalId: string,
    state: Uint8Array | undefined
  ): { readonly position: number; readonly replayFrom: number; readonly stats: ShardStats }
  /** @throws CollectorError PIPELINE_RECORD_ORDER, PIPELINE_REPLAY_INCOMPLETE */
  accept(record: JournalRecord): void
  live(): void
  stored(position: number): void
  snapshot(): MetricsSnapshot
}

export function createShard(parts: ShardParts): Shard {
  return new SyncShard(parts)
}

class SyncShard implements Shard {
  readonly #parts: ShardParts
  readonly #policies: readonly PolicyConfig[]
  readonly #payloads: InflatedPayloads
  readonly #batches: BatchCutter
  #journalId = ''
  #options: ShardOptions
  #totals: ShardTotals = newTotals()
  #stages: Stages
  #completion: Completion
  #arrivals: Arrivals
  #precounted: Precounted
  /** While records up to the checkpoint's position come again. */
  #replay: Replay | undefined
  #expected: number | undefined
  /** Something was counted since the last checkpoint. */
  #dirty = false
  #checkpointClockMs = 0
  #optionsWait = false

  constructor(parts: ShardParts) {
    this.#parts = parts
    this.#options = parts.options
    this.#policies = parts.policies ?? DEFAULT_POLICIES
    this.#payloads = new InflatedPayloads(parts.inflate)
    this.#batches = new BatchCutter(parts.encoder)
    this.#stages = new Stages(parts.options, this.#policies)
    this.#completion = this.#newCompletion()
    this.#arrivals = this.#newArrivals()
    this.#precounted = this.#newPrecounted()
  }

  restore(journalId: string, state: Uint8Array | undefined) {
    this.#journalId = journalId
    if (state === undefined) return { position: -1, replayFrom: 0, stats: this.#stats() }
    const restored = readState(state, this.#policies)
    this.#options = restored.options
    this.#totals = restored.totals
    this.#stages = restored.stages
    this.#completion = this.#newCompletion()
    this.#arrivals = this.#newArrivals()
    this.#precounted = this.#newPrecounted()
    this.#checkpointClockMs = restored.totals.clockMs
    const { position } = restored.totals
    const replayFrom = restored.replay.from ?? position + 1
    if (replayFrom <= position) this.#replay = restored.replay
    this.#expected = replayFrom
    return { position, replayFrom, stats: this.#stats() }
  }

  accept(record: JournalRecord): void {
    if (this.#expected !== undefined && record.position !== this.#expected) {
      throw new CollectorError('PIPELINE_RECORD_ORDER', [this.#expected, record.position])
    }
    this.#expected = record.position + 1
    if (this.#replay !== undefined) this.#acceptAgain(record, this.#replay)
    else if (record.kind === 'payload') this.#acceptPayload(record)
    else if (record.kind === 'metrics') this.#acceptMetrics(record)
    else this.#acceptTick(record)
    this.#parts.emit({
      type: 'progress',
      position: record.position,
      stats: this.#stats(),
      idle: this.#isIdle()
    })
  }

  live(): void {
    this.#optionsWait = JSON.stringify(this.#options) !== JSON.stringify(this.#parts.options)
  }

  stored(position: number): void {
    this.#stages.spanExemplars.stored(position)
    this.#stages.edgeExemplars.stored(position)
  }

  snapshot(): MetricsSnapshot {
    const { spanMetrics, edgeMetrics, spanExemplars, edgeExemplars } = this.#stages
    const oldestUnixMs = this.#totals.receivedUnixMs - this.#options.exemplarAgeMaxMs
    return {
      spans: spanMetrics.columns(spanExemplars.list(oldestUnixMs)),
      edges: edgeMetrics.columns(edgeExemplars.list(oldestUnixMs)),
      createdUnixMs: this.#totals.createdUnixMs
    }
  }

  #acceptAgain(record: JournalRecord, replay: Replay): void {
    if (record.kind === 'payload') this.#arrivals.reopen(record, replay)
    if (record.position < this.#totals.position) return
    this.#replay = undefined
    if (replay.missing > 0) throw new CollectorError('PIPELINE_REPLAY_INCOMPLETE', [replay.missing])
  }

  #acceptPayload(record: PayloadRecord): void {
    this.#advance(record)
    this.#arrivals.accept(record, (row) => this.#decideEarly(row, record))
    this.#dirty = true
  }

  #acceptMetrics(record: MetricsRecord): void {
    this.#advance(record)
    this.#precounted.accept(record)
    this.#dirty = true
  }

  #acceptTick(record: TickRecord): void {
    this.#advance(record)
    const { stitcher } = this.#stages
    for (const row of stitcher.due(record.clockMs)) {
      if (stitcher.isOverAge(row, record.clockMs)) this.#decideEarly(row, record)
      else this.#decide(row, record)
    }
    this.#stages.spanMetrics.flush((delta) => this.#batches.addSpanMetrics(delta))
    this.#stages.edgeMetrics.flush((delta) => this.#batches.addEdge(delta))
    this.#payloads.clear()
    this.#stages.compactNames()
    this.#emitBatches(record)
    this.#emitCheckpoint(record)
  }

  #emitBatches(tick: TickRecord): void {
    this.#stages.spanExemplars.seal(tick.position)
    this.#stages.edgeExemplars.seal(tick.position)
    for (const batch of this.#batches.take(this.#journalId, this.#parts.shard, tick)) {
      this.#dirty = true
      this.#parts.emit({ type: 'batch', batch })
    }
  }

  /** When it is time, when options change, and before the shard falls idle. */
  #emitCheckpoint({ position, clockMs }: TickRecord): void {
    const { stitcher } = this.#stages
    const due = clockMs - this.#checkpointClockMs >= this.#options.checkpointIntervalMs
    const wanted = this.#dirty && (due || stitcher.openTraces === 0)
    if (!wanted && !this.#optionsWait) return
    const barrier = this.#optionsWait
    if (barrier) {
      this.#options = this.#parts.options
      this.#stages.setOptions(this.#options)
      this.#optionsWait = false
    }
    const checkpoint: ShardCheckpoint = {
      shard: this.#parts.shard,
      position,
      replayFrom: stitcher.replayFrom(position),
      state: writeState(this.#options, this.#totals, this.#stages)
    }
    this.#checkpointClockMs = clockMs
    this.#dirty = false
    this.#parts.emit({ type: 'checkpoint', checkpoint, barrier })
  }

  #decide(row: number, record: JournalRecord): void {
    this.#completion.complete(row, record.receivedUnixMs, this.#options.batchSpansMax)
  }

  #decideEarly(row: number, record: JournalRecord): void {
    const before = this.#totals.tracesCompleted
    this.#decide(row, record)
    this.#totals.tracesDecidedEarly += this.#totals.tracesCompleted - before
  }

  #advance(record: JournalRecord): void {
    this.#totals.position = record.position
    this.#totals.clockMs = record.clockMs
    this.#totals.receivedUnixMs = record.receivedUnixMs
  }

  #isIdle(): boolean {
    const { stitcher, spanMetrics, edgeMetrics } = this.#stages
    return (
      !this.#dirty &&
      !this.#optionsWait &&
      this.#batches.empty &&
      stitcher.openTraces === 0 &&
      spanMetrics.rollupCount + edgeMetrics.rollupCount === 0
    )
  }

  #stats(): ShardStats {
    const { stitcher, spanMetrics, edgeMetrics } = this.#stages
    const totals = this.#totals
    return {
      spansAccepted: totals.spansAccepted,
      spansDuplicate: totals.spansDuplicate,
      spansLate: totals.spansLate,
      callsPrecounted: totals.callsPrecounted,
      deltasDuplicate: totals.deltasDuplicate,
      spansDropped: totals.spansDropped,
      payloadsDropped: totals.payloadsDropped,
      tracesCompleted: totals.tracesCompleted,
      tracesDecidedEarly: totals.tracesDecidedEarly,
      tracesOpen: stitcher.openTraces,
      seriesCount: spanMetrics.seriesCount + edgeMetrics.seriesCount,
      seriesOverflow: spanMetrics.overflowCalls,
      edgesExpired: totals.edgesExpired
    }
  }

  #newCompletion(): Completion {
    return new Completion(this.#stages, this.#payloads, this.#batches, this.#totals)
  }

  #newPrecounted(): Precounted {
    const { shard, shardCount, inflate } = this.#parts
    return new Precounted({ shard, shardCount, inflate }, this.#stages, this.#totals)
  }

  #newArrivals(): Arrivals {
    const { shard, shardCount, inflate } = this.#parts
    return new Arrivals({ shard, shardCount, inflate }, this.#stages, this.#totals)
  }
}
