/** The shard on its thread, with the store's own encoder: says the same as the shard without one. */
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { FromShard, ToShard } from '../../src/model/shard-messages.ts'
import type { ShardWorkerData } from '../../src/pipeline/shard-worker.ts'
import { defaultOptions, ShardRun } from './harness.ts'
import { makeTraffic } from './traffic.ts'

const WORKER = new URL('../../src/pipeline/shard-worker.ts', import.meta.url)
const DEADLINE_MS = 20_000

const workers: Worker[] = []
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

class Thread {
  readonly messages: FromShard[] = []
  readonly #worker: Worker

  constructor() {
    const workerData: ShardWorkerData = { shard: 0, shardCount: 1, options: defaultOptions() }
    this.#worker = new Worker(WORKER, { workerData })
    workers.push(this.#worker)
    this.#worker.on('message', (message) => this.messages.push(message))
  }

  tell(message: ToShard): void {
    this.#worker.postMessage(message)
  }

  /** The first message of this type that `wanted` accepts, there already or still to come. */
  async hear<Type extends FromShard['type']>(
    type: Type,
    wanted: (message: Extract<FromShard, { type: Type }>) => boolean = () => true
  ): Promise<Extract<FromShard, { type: Type }>> {
    const is = (message: FromShard): message is Extract<FromShard, { type: Type }> =>
      message.type === type && wanted(message as Extract<FromShard, { type: Type }>)
    const found = this.messages.find(is)
    if (found !== undefined) return found
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No "${type}" came.`)), DEADLINE_MS)
      const done = () => {
        clearTimeout(timer)
        this.#worker.off('message', listen).off('error', fail)
      }
      const fail = (error: unknown) => {
        done()
        reject(error)
      }
      const listen = (message: FromShard) => {
        if (!is(message)) return
        done()
        resolve(message)
      }
      this.#worker.on('message', listen).on('error', fail)
    })
  }
}

describe('the shard’s thread', () => {
  it('says what the shard says, and goes on from its checkpoint on another thread', async () => {
    const { records } = makeTraffic(1)
    const end = records.length - 1
    const reference = new ShardRun()
    reference.start()
    reference.shard.live()
    reference.accept(records)

    const first = new Thread()
    first.tell({ type: 'restore', journalId: 'journal', state: undefined })
    expect(await first.hear('restored')).toMatchObject({
      type: 'restored',
      position: -1,
      replayFrom: 0
    })
    first.tell({ type: 'live' })
    for (const record of records.slice(0, end >> 1)) first.tell({ type: 'record', record })
    await first.hear('progress', ({ position }) => position === (end >> 1) - 1)
    const saved = first.messages.findLast((message) => message.type === 'checkpoint')!

    const second = new Thread()
    second.tell({ type: 'restore', journalId: 'journal', state: saved.checkpoint.state })
    const { replayFrom } = await second.hear('restored')
    for (const record of records.slice(replayFrom)) second.tell({ type: 'record', record })
    const { stats } = await second.hear('progress', ({ position }) => position === end)
    second.tell({ type: 'stored', position: end })
    second.tell({ type: 'snapshot', requestId: 7 })
    const answer = await second.hear('snapshot')

    expect(stats).toEqual(reference.stats)
    expect(stats.spansDropped).toBe(0)
    expect(answer).toEqual({ type: 'snapshot', requestId: 7, snapshot: reference.snapshot() })
    const batches = [...first.messages, ...second.messages].flatMap((message) =>
      message.type === 'batch' ? [message.batch] : []
    )
    expect(new Set(batches.map(({ token }) => token))).toEqual(
      new Set(reference.batches.map(({ token }) => token))
    )
    for (const table of batches.flatMap(({ tables }) => tables)) {
      expect(table.bytes.length).toBeGreaterThan(table.rowCount)
    }
  })
})
