/**
 * Writes the batches of one shard to the store, one after the other, in the order they were cut.
 * A write that fails is repeated for as long as it takes: the store drops a batch whose token it
 * knows, so repeating is safe, and no batch is ever given up. What waits is bounded by whoever
 * feeds the shard (`unstoredBytes`).
 */
import { CollectorError, reasonOf } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/fifo.ts'
import type { StoreBatch } from '../model/store-batch.ts'
import type { SpanStore } from '../store/span-store.ts'
import type { Log } from '../telemetry/log.ts'
import type { SelfMetrics } from '../telemetry/self-metrics.ts'

const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 5_000

export interface StoreWriterParts {
  readonly store: Pick<SpanStore, 'write'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: SelfMetrics
  /** After each batch that the store has taken. */
  readonly onStored: () => void
}

export class StoreWriter {
  readonly #parts: StoreWriterParts
  readonly #batches = new Fifo<StoreBatch>()
  readonly #stopping = new AbortController()
  #holdAfter = Number.POSITIVE_INFINITY
  #unstoredBytes = 0
  #writing: Promise<void> | undefined

  constructor(parts: StoreWriterParts) {
    this.#parts = parts
  }

  get unstoredBytes(): number {
    return this.#unstoredBytes
  }

  get unstoredCount(): number {
    return this.#batches.length
  }

  /** Position of the oldest batch that is not stored. */
  get oldestPosition(): number | undefined {
    return this.#batches.peek()?.position
  }

  enqueue(batch: StoreBatch): void {
    this.#batches.push(batch)
    this.#unstoredBytes += bytesOf(batch)
    this.#writing ??= this.#writeAll()
  }

  /** Batches after this position wait; Infinity lets all of them go on. */
  holdAfter(position: number): void {
    this.#holdAfter = position
    this.#writing ??= this.#writeAll()
  }

  /** Gives up the write under way; what is not stored is repeated from the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#batches.peek(); batch !== undefined; batch = this.#batches.peek()) {
      if (batch.position > this.#holdAfter || !(await this.#write(batch))) break
      this.#batches.shift()
      this.#unstoredBytes -= bytesOf(batch)
      this.#parts.onStored()
    }
    this.#writing = undefined
  }

  /** Resolves with false only when it was stopped. */
  async #write(batch: StoreBatch): Promise<boolean> {
    const { store, clock, log, metrics } = this.#parts
    const { signal } = this.#stopping
    for (let retryMs = RETRY_FIRST_MS; !signal.aborted; retryMs = next(retryMs)) {
      const startMs = clock.monotonicMs()
      try {
        await store.write(batch, signal)
        metrics.add('spanloom_store_writes')
        return true
      } catch (error) {
        if (signal.aborted) return false
        const code = error instanceof CollectorError ? error.code : 'unknown'
        metrics.add('spanloom_store_write_retries', 1, code)
        const { token } = batch
        log.warn('store write failed', { code, reason: reasonOf(error), token, retryMs })
      } finally {
        metrics.add('spanloom_store_write_seconds', (clock.monotonicMs() - startMs) / 1_000)
      }
      await this.#pause(retryMs)
    }
    return false
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#stopping
    return new Promise((resolve) => {
      const stop = () => {
        cancel()
        resolve()
      }
      const cancel = this.#parts.clock.after(delayMs, () => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}

function next(retryMs: number): number {
  return Math.min(retryMs * 2, RETRY_MAX_MS)
}

function bytesOf(batch: StoreBatch): number {
  return batch.tables.reduce((sum, table) => sum + table.bytes.length, 0)
}
