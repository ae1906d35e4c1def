/**
 * The main thread's side of one shard: feeds it records, takes its batches to the store, and keeps
 * its checkpoints.
 *
 *   deliver ─→ queue ─→ (window) ─→ shard's thread ─→ batches ─→ store writer ─→ store
 *                 ↑ paused while the store is behind       └──→ checkpoint, held back until
 *                                                              all batches up to it are stored
 *
 * Limits: WINDOW_BYTES are on their way to the thread; `unstoredBytesMax` (and what the window
 * makes of it) wait for the store; what waits in the queue is bounded by intake's admission.
 */
import { strict as assert } from 'node:assert'
import { CollectorError, reasonOf } from '../errors.ts'
import type { Changes } from '../lib/changes.ts'
import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/fifo.ts'
import type { ShardCheckpoint } from '../model/checkpoint.ts'
import type { JournalRecord } from '../model/journal-record.ts'
import type { MetricsSnapshot } from '../model/metrics-snapshot.ts'
import type { FromShard, ShardStats, ToShard } from '../model/shard-messages.ts'
import type { SpanStore } from '../store/span-store.ts'
import type { Log } from '../telemetry/log.ts'
import type { SelfMetrics } from '../telemetry/self-metrics.ts'
import type { CheckpointFacts, Checkpoints } from './checkpoint-file.ts'
import { StoreWriter } from './store-writer.ts'

/** Enough to keep the thread busy while the main thread does something else. */
const WINDOW_BYTES = 8_388_608
/** What a record costs besides its bytes, so that empty ones are bounded too. */
const RECORD_BYTES = 256
const CHECKPOINT_RETRY_MS = 1_000

/** What a host needs of a worker thread; `node:worker_threads` has it. */
export interface ShardThread {
  postMessage(message: ToShard, transfer?: ArrayBuffer[]): void
  on(event: 'message', listener: (message: FromShard) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
}

export interface ShardHostParts {
  readonly shard: number
  readonly shardCount: number
  readonly thread: ShardThread
  readonly checkpoints: Checkpoints
  readonly store: Pick<SpanStore, 'write'>
  readonly unstoredBytesMax: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: SelfMetrics
  /** Notified whenever anything here has moved. */
  readonly changes: Changes
  /** The shard cannot go on; only a new start can. */
  readonly onFailed: (error: CollectorError) => void
  /** A checkpoint is durable: `neededFrom` may have moved. */
  readonly onCheckpoint: () => void
}

interface PendingCheckpoint {
  readonly checkpoint: ShardCheckpoint
  readonly payloadsAccepted: number
  readonly barrier: boolean
}

interface Outgoing {
  readonly message: ToShard
  readonly byteCount: number
}

const NO_STATS: ShardStats = {
  spansAccepted: 0,
  spansDuplicate: 0,
  spansLate: 0,
  callsPrecounted: 0,
  deltasDuplicate: 0,
  tracesCompleted: 0,
  tracesDecidedEarly: 0,
  tracesOpen: 0,
  seriesCount: 0,
  seriesOverflow: 0,
  edgesExpired: 0,
  spansDropped: 0,
  payloadsDropped: 0
}

export class ShardHost {
  readonly shard: number
  stats: ShardStats = NO_STATS
  /** The last record that the shard is through with. */
  processedPosition = -1
  /** Since the journal was made. */
  payloadsAccepted = 0
  /** Told to it, so that it survives a restart. */
  payloadsRejected: () => number = () => 0
  restoredPayloadsRejected = 0
  /** Oldest record that a replay would need; what is before it may be trimmed. */
  neededFrom = 0
  readonly #parts: ShardHostParts
  readonly #writer: StoreWriter
  #journalId = ''
  #restoredPosition = -1
  #nextPosition = 0
  #idle = true
  readonly #queue = new Fifo<Outgoing>()
  readonly #inFlight = new Fifo<{ position: number; byteCount: number; isPayload: boolean }>()
  #queueBytes = 0
  #inFlightBytes = 0
  #onRestored: ((restored: Extract<FromShard, { type: 'restored' }>) => void) | undefined
  #toldStored = -1
  #storedSinceTold = false
  /** Oldest first; see `#keepCheckpoint` for how few. */
  #pendingCheckpoints: PendingCheckpoint[] = []
  #savingCheckpoint = false
  #nextRequestId = 0
  /** Asked for and not answered; whoever asks meanwhile gets the same. */
  #snapshot: Promise<MetricsSnapshot> | undefined
  #onSnapshot: ((snapshot: MetricsSnapshot) => void) | undefined
  #stopping = false
  #isDead = false

  constructor(parts: ShardHostParts) {
    this.#parts = parts
    this.shard = parts.shard
    const { store, clock, log, metrics } = parts
    const onStored = () => {
      this.#storedSinceTold = true
      this.#settle()
    }
    this.#writer = new StoreWriter({ store, clock, log, metrics, onStored })
    parts.thread.on('message', (message) => this.#onMessage(message))
    parts.thread.on('error', (error) => this.#onDeath(reasonOf(error)))
    parts.thread.on('exit', (code) => this.#onDeath(`its thread ended with code ${code}`))
  }

  /** Bytes delivered and not yet processed. */
  get waitingBytes(): number {
    return this.#queueBytes + this.#inFlightBytes
  }

  get unstoredBytes(): number {
    return this.#writer.unstoredBytes
  }

  get unstoredCount(): number {
    return this.#writer.unstoredCount
  }

  /** Nothing waits for a tick. */
  get isIdle(): boolean {
    return this.#idle && this.isThrough
  }

  /** Every record that was delivered is processed. */
  get isThrough(): boolean {
    return this.#queue.length === 0 && this.#inFlight.length === 0
  }

  /** And all that came of it is stored, checkpoints included; or nothing more can come of it. */
  get isSettled(): boolean {
    if (this.#isDead) return true
    return (
      this.isThrough &&
      this.#writer.unstoredCount === 0 &&
      this.#pendingCheckpoints.length === 0 &&
      !this.#savingCheckpoint
    )
  }

  /**
   * Gives the shard its last checkpoint; resolves with the position that the replay starts from.
   * @throws CollectorError PIPELINE_CHECKPOINT_…
   */
  async restore(journalId: string, firstPosition: number, nextPosition: number): Promise<number> {
    const stored = await this.#parts.checkpoints.load(this.shard)
    const from = stored?.checkpoint.replayFrom ?? 0
    const wrong = this.#mismatch(stored?.facts, journalId)
    if (wrong !== undefined) throw mismatch(wrong)
    if (from < firstPosition) {
      throw mismatch(`records ${from} to ${firstPosition - 1} are needed and no longer there`)
    }
    if (stored !== undefined && stored.checkpoint.position >= nextPosition) {
      throw mismatch(
        `the checkpoint is at ${stored.checkpoint.position}, the journal ends before ${nextPosition}`
      )
    }
    this.#journalId = journalId
    this.payloadsAccepted = stored?.facts.payloadsAccepted ?? 0
    this.restoredPayloadsRejected = stored?.facts.payloadsRejected ?? 0
    const restored = new Promise<Extract<FromShard, { type: 'restored' }>>((resolve) => {
      this.#onRestored = resolve
    })
    const state = stored?.checkpoint.state
    this.#parts.thread.postMessage({ type: 'restore', journalId, state })
    const { position, replayFrom, stats } = await restored
    this.stats = stats
    this.#restoredPosition = position
    this.processedPosition = Math.max(position, replayFrom - 1)
    this.#nextPosition = replayFrom
    this.neededFrom = replayFrom
    return replayFrom
  }

  /** In order of positions, without gaps. The record's bytes are given away. */
  deliver(record: JournalRecord): void {
    assert.equal(record.position, this.#nextPosition, 'records reach a shard in order')
    this.#nextPosition++
    const byteCount = RECORD_BYTES + (record.kind === 'tick' ? 0 : record.bytes.length)
    this.#queueBytes += byteCount
    this.#queue.push({ message: { type: 'record', record }, byteCount })
    this.#pump()
  }

  /** The replay is over: what was delivered so far repeats, what comes is new. */
  goLive(): void {
    this.#queue.push({ message: { type: 'live' }, byteCount: 0 })
    this.#pump()
  }

  /** As of some moment between the call and the answer. */
  snapshot(): Promise<MetricsSnapshot> {
    this.#snapshot ??= new Promise((resolve) => {
      this.#onSnapshot = resolve
      this.#parts.thread.postMessage({ type: 'snapshot', requestId: this.#nextRequestId++ })
    })
    return this.#snapshot
  }

  /** What is not settled is repeated at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#writer.stop()
    await this.#parts.thread.terminate()
  }

  #mismatch(facts: CheckpointFacts | undefined, journalId: string): string | undefined {
    if (facts === undefined) return undefined
    const { shardCount } = this.#parts
    if (facts.journalId !== journalId) {
      return `the checkpoint is of journal ${facts.journalId}, the journal is ${journalId}`
    }
    if (facts.shardCount === shardCount) return undefined
    return `the checkpoint is of ${facts.shardCount} shards, there are ${shardCount}`
  }

  #pump(): void {
    const { thread, unstoredBytesMax } = this.#parts
    while (this.#inFlightBytes < WINDOW_BYTES && this.#writer.unstoredBytes <= unstoredBytesMax) {
      const outgoing = this.#queue.shift()
      if (outgoing === undefined) return
      const { message, byteCount } = outgoing
      this.#queueBytes -= byteCount
      if (message.type !== 'record') {
        thread.postMessage(message)
        continue
      }
      const { record } = message
      const isPayload = record.kind === 'payload'
      this.#inFlight.push({ position: record.position, byteCount, isPayload })
      this.#inFlightBytes += byteCount
      thread.postMessage(
        message,
        record.kind === 'tick' ? [] : [record.bytes.buffer as ArrayBuffer]
      )
    }
  }

  #onMessage(message: FromShard): void {
    switch (message.type) {
      case 'restored':
        this.#onRestored?.(message)
        return
      case 'progress':
        this.#onProgress(message)
        return
      case 'batch':
        this.#writer.enqueue(message.batch)
        return
      case 'checkpoint':
        this.#keepCheckpoint(message.checkpoint, message.barrier)
        return
      case 'snapshot':
        this.#snapshot = undefined
        this.#onSnapshot?.(message.snapshot)
    }
  }

  /**
   * The oldest is waited for, so that there is an end to it; of those after it the newest is
   * enough. A barrier, one at a start, is never left out.
   */
  #keepCheckpoint(checkpoint: ShardCheckpoint, barrier: boolean): void {
    const pending = this.#pendingCheckpoints
    if (pending.length > 1 && pending.at(-1)?.barrier === false) pending.pop()
    pending.push({ checkpoint, payloadsAccepted: this.payloadsAccepted, barrier })
    if (barrier) this.#writer.holdAfter(checkpoint.position)
  }

  /** The last message that a record brings about: its batches and its checkpoint came before. */
  #onProgress(message: Extract<FromShard, { type: 'progress' }>): void {
    const done = this.#inFlight.shift()
    assert.equal(done?.position, message.position, 'a shard is through with records in order')
    this.#inFlightBytes -= done.byteCount
    if (done.isPayload && done.position > this.#restoredPosition) this.payloadsAccepted++
    this.processedPosition = Math.max(this.processedPosition, message.position)
    this.stats = message.stats
    this.#idle = message.idle
    this.#settle()
  }

  /** Something is processed or stored: draws all conclusions from it. */
  #settle(): void {
    const oldest = this.#writer.oldestPosition
    const storedPosition = oldest === undefined ? this.processedPosition : oldest - 1
    if (this.#storedSinceTold && storedPosition > this.#toldStored) {
      this.#parts.thread.postMessage({ type: 'stored', position: storedPosition })
      this.#toldStored = storedPosition
      this.#storedSinceTold = false
    }
    const pending = this.#pendingCheckpoints[0]
    if (pending !== undefined && pending.checkpoint.position <= storedPosition) {
      void this.#saveCheckpoint(pending)
    }
    this.#pump()
    this.#parts.changes.notify()
  }

  async #saveCheckpoint(pending: PendingCheckpoint): Promise<void> {
    if (this.#savingCheckpoint) return
    this.#savingCheckpoint = true
    const { checkpoints, shardCount, metrics, log, clock } = this.#parts
    const { checkpoint, payloadsAccepted, barrier } = pending
    try {
      const facts: CheckpointFacts = {
        journalId: this.#journalId,
        shardCount,
        payloadsAccepted,
        payloadsRejected: this.payloadsRejected()
      }
      this.neededFrom = await checkpoints.save({ checkpoint, facts }, barrier)
      if (barrier) this.#writer.holdAfter(Number.POSITIVE_INFINITY)
      this.#pendingCheckpoints.shift()
      metrics.add('spanloom_checkpoints')
      metrics.set('spanloom_checkpoint_position', checkpoint.position, String(this.shard))
      this.#parts.onCheckpoint()
    } catch (error) {
      metrics.add('spanloom_checkpoint_failures')
      log.error('checkpoint not written', { reason: reasonOf(error), retryMs: CHECKPOINT_RETRY_MS })
      await new Promise<void>((resolve) => clock.after(CHECKPOINT_RETRY_MS, resolve))
    } finally {
      this.#savingCheckpoint = false
    }
    if (!this.#stopping) this.#settle()
  }

  #onDeath(reason: string): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#isDead = true
    this.#parts.changes.notify()
    this.#parts.onFailed(new CollectorError('PIPELINE_SHARD_DIED', [this.shard, reason]))
  }
}

function mismatch(reason: string): CollectorError {
  return new CollectorError('PIPELINE_CHECKPOINT_MISMATCH', [reason])
}
