/**
 * The first half of the data's way: from accepted bytes to shards. Runs where the sockets are;
 * the second half is shard.ts.
 *
 *   receive ─→ room? ─→ stamp ─→ journal ─→ "200"
 *                         ↑          └────→ every shard, in order of positions
 *                ticks, while any shard waits for one
 *
 * Pressure is answered here and nowhere later: a payload is refused before it is journaled, and
 * once journaled it is never refused again. At a start, `open` first repeats what the last
 * checkpoint does not include; senders hear 503 meanwhile.
 *
 * Limits: `waitingBytesMax` appended and not yet processed; the journal has its own.
 */
import { CollectorError, reasonOf } from '../errors.ts'
import type { Journal, NewRecord } from '../journal/journal.ts'
import type { Changes } from '../lib/changes.ts'
import type { Clock } from '../lib/clock.ts'
import type { JournalRecord, MetricsRecord, PayloadRecord } from '../model/journal-record.ts'
import type { Log } from '../telemetry/log.ts'
import type { SelfMetrics } from '../telemetry/self-metrics.ts'
import type { ShardHost } from './shard-host.ts'

export interface IntakeParts {
  readonly journal: Journal
  readonly shards: readonly ShardHost[]
  readonly clock: Clock
  readonly log: Log
  readonly metrics: SelfMetrics
  readonly changes: Changes
  readonly tickIntervalMs: number
  readonly waitingBytesMax: number
}

/** As a receiver hands it over. */
interface NewPayload extends Pick<PayloadRecord, 'compression' | 'bytes'> {
  readonly signal: 'traces' | 'metrics'
}

export class Intake {
  readonly #parts: IntakeParts
  #state: 'starting' | 'open' | 'stopping' = 'starting'
  #wasOpen = false
  /** `clockMs` = the machine's monotonic clock + this. */
  #clockOffsetMs = 0
  #appendsUnderWay = 0
  #appendingBytes = 0
  #nextPosition = 0
  #lastTickPosition = -1
  #payloadsSinceTick = false
  #cancelTick: () => void = () => {}

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  get nextPosition(): number {
    return this.#nextPosition
  }

  /** @throws CollectorError JOURNAL_DAMAGED, PIPELINE_CHECKPOINT_… */
  async open(): Promise<void> {
    const { journal, shards, clock, changes, log } = this.#parts
    const { journalId, firstPosition, nextPosition, lastClockMs } = await journal.open()
    this.#nextPosition = nextPosition
    const starts: number[] = []
    for (const shard of shards) {
      starts.push(await shard.restore(journalId, firstPosition, nextPosition))
    }
    const from = Math.min(...starts)
    for await (const record of journal.read(from)) {
      this.#deliver(record, starts)
      await changes.until(() => this.#waitingBytes() < this.#parts.waitingBytesMax)
    }
    for (const shard of shards) shard.goLive()
    if (from < nextPosition) log.info('replayed', { from, records: nextPosition - from })
    // From here on, and not earlier: no sender could have sent the rest of a trace until now.
    this.#clockOffsetMs = lastClockMs - clock.monotonicMs()
    if (this.#state !== 'starting') return
    this.#state = 'open'
    this.#wasOpen = true
    this.#scheduleTick()
  }

  /** Why a payload would be refused now; `undefined` when there is room. */
  refusal(byteCount: number): CollectorError | undefined {
    if (this.#state !== 'open') return new CollectorError('PIPELINE_NOT_OPEN', [this.#state])
    const { waitingBytesMax } = this.#parts
    const waiting = this.#appendingBytes + this.#waitingBytes()
    // One alone is let in whatever its size: nothing would ever make more room for it.
    if (waiting === 0 || waiting + byteCount <= waitingBytesMax) return undefined
    return new CollectorError('PIPELINE_FULL', [waitingBytesMax])
  }

  /**
   * Resolves once the payload is durable, and gives it to the shards.
   * @throws CollectorError PIPELINE_NOT_OPEN, PIPELINE_FULL, JOURNAL_…: then it has no effect.
   */
  async accept({ signal, ...payload }: NewPayload): Promise<void> {
    const refusal = this.refusal(payload.bytes.length)
    if (refusal !== undefined) throw refusal
    const kind = signal === 'metrics' ? 'metrics' : 'payload'
    await this.#append({ kind, ...this.#stamp(), ...payload })
    this.#payloadsSinceTick = true
  }

  /** Takes no more payloads from here on; those under way go on. */
  refuseAll(): void {
    this.#state = 'stopping'
    this.#cancelTick()
  }

  /**
   * After `refuseAll`: a last tick, all that it brings about stored, the checkpoint written.
   * Resolves with whether it came to that before `signal`; what did not is repeated from the
   * journal at the next start.
   */
  async finish(signal: AbortSignal): Promise<boolean> {
    const { shards, changes } = this.#parts
    if (!this.#wasOpen) return true
    await changes.until(() => this.#appendsUnderWay === 0, signal)
    if (this.#wantsTick()) await this.#appendTick()
    return await changes.until(() => shards.every((shard) => shard.isSettled), signal)
  }

  async #append(record: NewRecord): Promise<number> {
    const { journal, metrics, changes } = this.#parts
    const byteCount = record.kind === 'tick' ? 0 : record.bytes.length
    this.#appendsUnderWay++
    this.#appendingBytes += byteCount
    try {
      const position = await journal.append(record)
      this.#nextPosition = position + 1
      this.#deliver({ ...record, position })
      return position
    } catch (error) {
      if (!(error instanceof CollectorError) || error.code === 'JOURNAL_WRITE_FAILED') {
        metrics.add('spanloom_journal_write_failures')
        this.#parts.log.error('journal write failed', { reason: reasonOf(error) })
      }
      throw error
    } finally {
      this.#appendsUnderWay--
      this.#appendingBytes -= byteCount
      changes.notify()
    }
  }

  /** `starts`, in a replay: where each shard's begins. */
  #deliver(record: JournalRecord, starts?: readonly number[]): void {
    const { shards } = this.#parts
    const last = shards.length - 1
    for (const [index, shard] of shards.entries()) {
      if (starts !== undefined && record.position < starts[index]!) continue
      // A shard takes the bytes away with it: each but the last gets a copy.
      shard.deliver(index === last || record.kind === 'tick' ? record : copyOf(record))
    }
  }

  #stamp(): { clockMs: number; receivedUnixMs: number } {
    const { clock } = this.#parts
    return {
      clockMs: Math.floor(clock.monotonicMs() + this.#clockOffsetMs),
      receivedUnixMs: Math.floor(clock.unixMs())
    }
  }

  #waitingBytes(): number {
    return Math.max(...this.#parts.shards.map((shard) => shard.waitingBytes))
  }

  #scheduleTick(): void {
    const { clock, tickIntervalMs } = this.#parts
    this.#cancelTick = clock.after(tickIntervalMs, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    // One at a time: a shard that is behind gets the time that has passed in one piece.
    const { shards } = this.#parts
    const isBehind = shards.some((shard) => shard.processedPosition < this.#lastTickPosition)
    if (!isBehind && this.#wantsTick()) await this.#appendTick()
    if (this.#state === 'open') this.#scheduleTick()
  }

  #wantsTick(): boolean {
    return this.#payloadsSinceTick || this.#parts.shards.some((shard) => !shard.isIdle)
  }

  /** A tick that cannot be written is not taken: the next one covers its time too. */
  async #appendTick(): Promise<void> {
    this.#payloadsSinceTick = false
    try {
      this.#lastTickPosition = await this.#append({ kind: 'tick', ...this.#stamp() })
      this.#parts.metrics.add('spanloom_ticks')
    } catch {
      this.#payloadsSinceTick = true
    }
  }
}

function copyOf(record: PayloadRecord | MetricsRecord): JournalRecord {
  return { ...record, bytes: record.bytes.slice() }
}
