/**
 * A shard's thread without a shard: it counts the bytes of payloads, cuts a batch with the count
 * at a tick, and takes a checkpoint at the tick after. Like the real one it is a pure function of
 * its records, so a test can compare what a replay gives.
 */
import { EventEmitter } from 'node:events'
import type { JournalRecord } from '../model/journal-record.ts'
import type { FromShard, ShardStats, ToShard } from '../model/shard-messages.ts'
import type { ShardThread } from './shard-host.ts'

export class TestShardThread extends EventEmitter implements ShardThread {
  readonly received: ToShard[] = []
  /** Records are kept, not processed, while it is true. */
  isPaused = false
  isTerminated = false
  /** The next checkpoint is one. */
  isBarrierNext = false
  readonly #waiting: ToShard[] = []
  #journalId = ''
  #byteCount = 0
  #position = -1
  #newBytes = 0
  #openFrom: number | undefined
  #batched = false

  postMessage(message: ToShard, transfer: ArrayBuffer[] = []): void {
    const copy = structuredClone(message, { transfer })
    this.received.push(copy)
    this.#waiting.push(copy)
    queueMicrotask(() => this.#work())
  }

  resume(): void {
    this.isPaused = false
    this.#work()
  }

  async terminate(): Promise<number> {
    this.isTerminated = true
    this.emit('exit', 1)
    return 1
  }

  get positions(): number[] {
    return this.received.flatMap((one) => (one.type === 'record' ? [one.record.position] : []))
  }

  #work(): void {
    while (this.#waiting.length > 0 && !this.isTerminated) {
      if (this.isPaused && this.#waiting[0]?.type === 'record') return
      this.#take(this.#waiting.shift()!)
    }
  }

  #take(message: ToShard): void {
    if (message.type === 'restore') {
      this.#journalId = message.journalId
      const [byteCount = 0, position = -1, replayFrom = 0] = message.state
        ? (JSON.parse(new TextDecoder().decode(message.state)) as number[])
        : []
      this.#byteCount = byteCount
      this.#position = position
      this.#send({ type: 'restored', position, replayFrom, stats: this.#stats() })
    } else if (message.type === 'record') {
      this.#process(message.record)
    } else if (message.type === 'snapshot') {
      const snapshot = { createdUnixMs: this.#byteCount } as never
      this.#send({ type: 'snapshot', requestId: message.requestId, snapshot })
    }
  }

  #process(record: JournalRecord): void {
    const { position } = record
    const isNew = position > this.#position
    if (record.kind === 'payload') {
      this.#openFrom ??= position
      if (isNew) {
        this.#byteCount += record.bytes.length
        this.#newBytes += record.bytes.length
      }
    } else if (isNew) {
      this.#tick(position)
    }
    this.#send({ type: 'progress', position, stats: this.#stats(), idle: this.#isIdle() })
  }

  #tick(position: number): void {
    if (this.#newBytes > 0) {
      const bytes = new TextEncoder().encode(`${this.#byteCount}`)
      this.#send({
        type: 'batch',
        batch: {
          token: `${this.#journalId}-${position}`,
          shard: 0,
          position,
          part: 0,
          spanCount: 1,
          traceCount: 1,
          tables: [{ table: 'spans', rowCount: 1, bytes }]
        }
      })
      this.#newBytes = 0
      this.#batched = true
    } else if (this.#batched) {
      this.#batched = false
      this.#openFrom = undefined
      const replayFrom = position + 1
      const state = new TextEncoder().encode(
        JSON.stringify([this.#byteCount, position, replayFrom])
      )
      const checkpoint = { shard: 0, position, replayFrom, state }
      this.#send({ type: 'checkpoint', checkpoint, barrier: this.isBarrierNext })
      this.isBarrierNext = false
    }
  }

  #isIdle(): boolean {
    return this.#newBytes === 0 && !this.#batched
  }

  #stats(): ShardStats {
    return { spansAccepted: this.#byteCount } as ShardStats
  }

  #send(message: FromShard): void {
    this.emit('message', message)
  }
}
