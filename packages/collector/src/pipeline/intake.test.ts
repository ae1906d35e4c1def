/** Intake, shard host, store writer and checkpoints together, on a real journal and a test clock. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { CollectorError } from '../errors.ts'
import type { Journal } from '../journal/journal.ts'
import { Changes } from '../lib/changes.ts'
import { eventually, TestClock, turn } from '../lib/clock.testkit.ts'
import type { JournalRecord } from '../model/journal-record.ts'
import type { StoreBatch } from '../model/store-batch.ts'
import { SelfMetrics } from '../telemetry/self-metrics.ts'
import { makeTestJournal } from '../test-journal.testkit.ts'
import { createCheckpoints } from './checkpoint-file.ts'
import { Intake } from './intake.ts'
import { ShardHost } from './shard-host.ts'
import { TestShardThread } from './shard-thread.testkit.ts'

const MIB = 1_048_576

let directory = ''
const running: Rig[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spanloom-intake-'))
})

afterEach(async () => {
  for (const rig of running.splice(0)) await rig.kill()
  await rm(directory, { recursive: true })
})

interface Rig {
  readonly clock: TestClock
  readonly journal: Journal
  readonly thread: TestShardThread
  readonly host: ShardHost
  readonly intake: Intake
  readonly metrics: SelfMetrics
  /** In the order the store took them. */
  readonly stored: StoreBatch[]
  readonly failures: CollectorError[]
  readonly warnings: string[]
  /** The store answers so many writes with an error; Infinity for as long as it is set. */
  storeFailures: number
  onWrite: () => Promise<void>
  accept(text: string): Promise<void>
  /** The process dies: nothing is finished. */
  kill(): Promise<void>
}

async function makeRig(
  limits: { waitingBytesMax?: number; unstoredBytesMax?: number; journalBytesMax?: number } = {}
): Promise<Rig> {
  const clock = new TestClock()
  const journal = makeTestJournal(join(directory, 'journal'), {
    bytesMax: limits.journalBytesMax ?? 64 * MIB,
    newId: () => randomBytes(16).toString('hex')
  })
  const thread = new TestShardThread()
  const metrics = new SelfMetrics()
  const changes = new Changes()
  const warnings: string[] = []
  const warn = (event: string) => void warnings.push(event)
  const log = { info: () => {}, warn, error: warn }
  const checkpoints = createCheckpoints(join(directory, 'checkpoints'), {
    damaged: (file) => warn(`damaged ${file}`)
  })
  const failures: CollectorError[] = []
  const stored: StoreBatch[] = []
  const store = {
    async write(batch: StoreBatch) {
      await turn()
      if (rig.storeFailures > 0) {
        rig.storeFailures--
        throw new CollectorError('STORE_UNAVAILABLE', ['it is away'])
      }
      await rig.onWrite()
      stored.push(batch)
    }
  }
  const host = new ShardHost({
    shard: 0,
    shardCount: 1,
    thread,
    checkpoints,
    store,
    unstoredBytesMax: limits.unstoredBytesMax ?? 128 * MIB,
    clock,
    log,
    metrics,
    changes,
    onFailed: (error) => failures.push(error),
    onCheckpoint: () => void journal.trim(host.neededFrom)
  })
  const intake = new Intake({
    journal,
    shards: [host],
    clock,
    log,
    metrics,
    changes,
    tickIntervalMs: 500,
    waitingBytesMax: limits.waitingBytesMax ?? 64 * MIB
  })
  let killed = false
  const rig: Rig = {
    clock,
    journal,
    thread,
    host,
    intake,
    metrics,
    stored,
    failures,
    warnings,
    storeFailures: 0,
    onWrite: async () => {},
    async accept(text) {
      const bytes = new TextEncoder().encode(text)
      await intake.accept({ signal: 'traces', compression: 'identity', bytes })
    },
    async kill() {
      if (killed) return
      killed = true
      intake.refuseAll()
      await host.stop()
      await journal.close()
    }
  }
  running.push(rig)
  return rig
}

async function openRig(limits?: Parameters<typeof makeRig>[0]): Promise<Rig> {
  const rig = await makeRig(limits)
  await rig.intake.open()
  return rig
}

/** Ticks until nothing waits for one. Needs a store that answers: else its retries are timers too. */
async function settle(rig: Rig): Promise<void> {
  for (let count = 0; count < 20; count++) {
    const { nextPosition } = rig.intake
    await rig.clock.advance(500)
    // The next tick is set up once the last one is durable.
    await eventually(() => rig.clock.timerCount > 0)
    await eventually(() => rig.host.isSettled)
    if (rig.host.isIdle && nextPosition === rig.intake.nextPosition) return
  }
  throw new Error('never idle')
}

/** Moves the clock to the next tick and waits until the shard is through with it. */
async function tickOnce(rig: Rig): Promise<void> {
  const { nextPosition } = rig.intake
  await rig.clock.advance(500)
  await eventually(() => rig.host.processedPosition === nextPosition)
}

function textOf(batch: StoreBatch | undefined): string {
  return new TextDecoder().decode(batch?.tables[0]?.bytes)
}

describe('intake', () => {
  it('gives records to the shard durable, stamped, and in order of positions', async () => {
    const rig = await openRig()
    await Promise.all(Array.from({ length: 50 }, (_, index) => rig.accept(`payload ${index}`)))
    await turn()
    deepStrictEqual(
      rig.thread.positions,
      Array.from({ length: 50 }, (_, index) => index)
    )
    const journaled = []
    for await (const record of rig.journal.read(0)) journaled.push(record)
    const received = rig.thread.received.flatMap((one) =>
      one.type === 'record' ? [one.record] : []
    )
    deepStrictEqual(received, journaled)
    strictEqual(received[0]?.receivedUnixMs, rig.clock.unixMs())
    strictEqual(received[0]?.clockMs, 0)
  })

  it('keeps payloads as they were sent, in the journal and for the shard', async () => {
    const rig = await openRig()
    const compressions = ['identity', 'gzip', 'zstd'] as const
    for (const [index, compression] of compressions.entries()) {
      for (const signal of ['traces', 'metrics'] as const) {
        await rig.intake.accept({ signal, compression, bytes: Uint8Array.of(index) })
      }
    }
    await turn()
    const journaled: JournalRecord[] = []
    for await (const record of rig.journal.read(0)) journaled.push(record)
    const delivered = rig.thread.received.flatMap((one) =>
      one.type === 'record' ? [one.record] : []
    )
    for (const records of [journaled, delivered]) {
      deepStrictEqual(
        records.flatMap((record) =>
          record.kind === 'tick' ? [] : [[record.kind, record.compression, ...record.bytes]]
        ),
        compressions.flatMap((compression, index) => [
          ['payload', compression, index],
          ['metrics', compression, index]
        ])
      )
    }
  })

  it('ticks while the shard waits for one, and is silent while it is idle', async () => {
    const rig = await openRig()
    await rig.clock.advance(5_000)
    deepStrictEqual(rig.thread.positions, [])
    await rig.accept('a')
    await settle(rig)
    const idleAt = rig.intake.nextPosition
    // One to cut the batch, one to take the checkpoint.
    strictEqual(idleAt, 3)
    await rig.clock.advance(60_000)
    strictEqual(rig.intake.nextPosition, idleAt)
    await rig.accept('b')
    await settle(rig)
    strictEqual(rig.intake.nextPosition, 6)
    deepStrictEqual(rig.stored.map(textOf), ['1', '2'])
  })

  it('goes on from the clock of the journal, however long it was down', async () => {
    const first = await openRig()
    await first.clock.advance(1_000)
    await first.accept('a')
    await first.kill()
    const second = await openRig()
    await second.clock.advance(300)
    await second.accept('b')
    const clocks = second.thread.received.flatMap((one) =>
      one.type === 'record' && one.record.kind === 'payload' ? [one.record.clockMs] : []
    )
    deepStrictEqual(clocks, [1_000, 1_300])
  })

  it('makes no second tick while the shard is behind with the first', async () => {
    const rig = await openRig()
    await rig.accept('a')
    await turn()
    rig.thread.isPaused = true
    await rig.clock.advance(500)
    await eventually(() => rig.intake.nextPosition === 2)
    await rig.clock.advance(5_000)
    strictEqual(rig.intake.nextPosition, 2)
    rig.thread.resume()
    await settle(rig)
    strictEqual(textOf(rig.stored[0]), '1')
  })

  it('refuses the payload that would go over what may wait, and has room again after', async () => {
    const rig = await openRig({ waitingBytesMax: 10_000 })
    rig.thread.isPaused = true
    await rig.accept('x'.repeat(9_000))
    await rejects(rig.accept('y'.repeat(1_000)), { code: 'PIPELINE_FULL' })
    strictEqual(rig.intake.refusal(1_000)?.code, 'PIPELINE_FULL')
    strictEqual(rig.intake.refusal(10), undefined)
    rig.thread.resume()
    strictEqual(rig.intake.refusal(1_000), undefined)
    await rig.accept('y'.repeat(20_000))
    strictEqual(rig.intake.nextPosition, 2)
  })

  it('says why it takes nothing before it is open, and after', async () => {
    const rig = await makeRig()
    await rejects(rig.accept('a'), { code: 'PIPELINE_NOT_OPEN', message: /starting/ })
    await rig.intake.open()
    rig.intake.refuseAll()
    await rejects(rig.accept('a'), { code: 'PIPELINE_NOT_OPEN', message: /stopping/ })
  })
})

describe('the way to the store', () => {
  it('repeats a write for as long as the store is away, in order, and gives nothing up', async () => {
    const rig = await openRig()
    rig.storeFailures = Number.POSITIVE_INFINITY
    for (const text of ['a', 'bb', 'ccc']) {
      await rig.accept(text)
      await tickOnce(rig)
    }
    for (let count = 0; count < 20; count++) await rig.clock.advance(5_000)
    deepStrictEqual(rig.stored, [])
    ok(rig.metrics.total('spanloom_store_write_retries') >= 10)
    ok(!rig.thread.received.some((one) => one.type === 'stored'))
    rig.storeFailures = 0
    await rig.clock.advance(5_000)
    await eventually(() => rig.stored.length === 3)
    await settle(rig)
    deepStrictEqual(rig.stored.map(textOf), ['1', '3', '6'])
  })

  it('tells the shard what is stored, once it is', async () => {
    const rig = await openRig()
    await rig.accept('a')
    await settle(rig)
    const told = rig.thread.received.filter((one) => one.type === 'stored')
    strictEqual(told.length, 1)
    ok(told[0]!.position >= rig.stored[0]!.position)
  })

  it('holds the checkpoint back until every batch before it is stored', async () => {
    const rig = await openRig()
    rig.storeFailures = Number.POSITIVE_INFINITY
    await rig.accept('a')
    await tickOnce(rig)
    strictEqual(rig.host.unstoredCount, 1)
    await tickOnce(rig)
    await rig.clock.advance(1_000)
    deepStrictEqual(await readdir(join(directory, 'checkpoints')), [])
    strictEqual(rig.host.isSettled, false)
    rig.storeFailures = 0
    await rig.clock.advance(5_000)
    await eventually(() => rig.host.isSettled)
    deepStrictEqual(await readdir(join(directory, 'checkpoints')), [
      'shard-0-0000000000000002.checkpoint'
    ])
  })

  it('holds back the batches after a barrier until its checkpoint is saved, and keeps no older', async () => {
    const rig = await openRig()
    await rig.accept('a')
    await settle(rig)
    rig.storeFailures = Number.POSITIVE_INFINITY
    await rig.accept('bb')
    await tickOnce(rig)
    rig.thread.isBarrierNext = true
    await tickOnce(rig)
    await rig.accept('ccc')
    await tickOnce(rig)
    strictEqual(rig.host.unstoredCount, 2)
    // Saving takes its time: whatever the store would take now must wait for it.
    rig.storeFailures = 0
    const filesAtWrite: string[][] = []
    rig.onWrite = async () => {
      filesAtWrite.push(await readdir(join(directory, 'checkpoints')))
    }
    await rig.clock.advance(5_000)
    await eventually(() => rig.stored.length === 3)
    deepStrictEqual(filesAtWrite, [
      ['shard-0-0000000000000002.checkpoint'],
      ['shard-0-0000000000000005.checkpoint']
    ])
    deepStrictEqual(rig.stored.map(textOf), ['1', '3', '6'])
    await settle(rig)
    strictEqual((await readdir(join(directory, 'checkpoints'))).length, 2)
  })

  it('pauses the shard while too much waits for the store, and goes on after', async () => {
    const rig = await openRig({ unstoredBytesMax: 1, waitingBytesMax: 1_000 })
    rig.storeFailures = Number.POSITIVE_INFINITY
    await rig.accept('x'.repeat(10))
    await tickOnce(rig)
    strictEqual(rig.host.unstoredBytes, 2)
    await rig.accept('y'.repeat(10))
    await turn()
    strictEqual(rig.host.processedPosition, 1)
    ok(rig.host.waitingBytes >= 10)
    await rejects(rig.accept('z'.repeat(990)), { code: 'PIPELINE_FULL' })
    rig.storeFailures = 0
    await rig.clock.advance(5_000)
    await eventually(() => rig.stored.length === 1)
    await settle(rig)
    deepStrictEqual(rig.stored.map(textOf), ['10', '20'])
  })

  it('reports a thread that dies, once', async () => {
    const rig = await openRig()
    rig.thread.emit('error', new Error('out of memory'))
    rig.thread.emit('exit', 1)
    deepStrictEqual(
      rig.failures.map((error) => error.code),
      ['PIPELINE_SHARD_DIED']
    )
    ok(rig.failures[0]?.message.includes('out of memory'))
  })
})

describe('after a crash', () => {
  it('gives the same batches again, whatever was stored, and counts nothing twice', async () => {
    const first = await openRig()
    await first.accept('a')
    await settle(first)
    await first.accept('bb')
    await tickOnce(first)
    await eventually(() => first.stored.length === 2)
    await first.accept('ccc')
    await first.kill()

    const second = await openRig()
    // From the checkpoint on: the second batch was stored, its checkpoint was not taken.
    strictEqual(second.thread.positions[0], 3)
    await settle(second)
    deepStrictEqual(second.stored.map(textOf), ['3', '6'])
    strictEqual(second.stored[0]?.token, first.stored[1]?.token)
    strictEqual(second.host.stats.spansAccepted, 6)
    strictEqual(second.host.payloadsAccepted, 3)
    strictEqual((await second.host.snapshot()).createdUnixMs, 6)
  })

  it('starts the options of this start only after the replay', async () => {
    const first = await openRig()
    await first.accept('a')
    await first.accept('b')
    await first.kill()
    const second = await openRig()
    await second.accept('c')
    await turn()
    deepStrictEqual(
      second.thread.received.map((one) => one.type),
      ['restore', 'record', 'record', 'live', 'record']
    )
  })

  it('takes the checkpoint before when the newest is damaged', async () => {
    const first = await openRig()
    await first.accept('a')
    await settle(first)
    await first.accept('bb')
    await settle(first)
    await first.kill()
    const files = (await readdir(join(directory, 'checkpoints'))).sort()
    strictEqual(files.length, 2)
    const newest = join(directory, 'checkpoints', files[1]!)
    const bytes = await readFile(newest)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(newest, bytes)

    const second = await openRig()
    ok(second.warnings.includes(`damaged ${files[1]}`))
    strictEqual(second.thread.positions[0], 3)
    await settle(second)
    strictEqual(second.host.stats.spansAccepted, 3)
    await second.kill()

    for (const file of await readdir(join(directory, 'checkpoints'))) {
      await writeFile(join(directory, 'checkpoints', file), 'rubbish that is long enough')
    }
    const third = await makeRig()
    await rejects(third.intake.open(), { code: 'PIPELINE_CHECKPOINT_DAMAGED' })
  })

  it('does not mix a checkpoint with another journal, or one that lost its end', async () => {
    const first = await openRig()
    await first.accept('a')
    await settle(first)
    await first.kill()
    const segment = join(directory, 'journal', '0000000000000000.segment')
    const whole = await readFile(segment)
    await writeFile(segment, '')
    const second = await makeRig()
    await rejects(second.intake.open(), { code: 'PIPELINE_CHECKPOINT_MISMATCH' })
    await second.kill()
    await writeFile(segment, whole)
    await writeFile(join(directory, 'journal', 'journal-id'), `${'0'.repeat(32)}\n`)
    const third = await makeRig()
    await rejects(third.intake.open(), {
      code: 'PIPELINE_CHECKPOINT_MISMATCH',
      message: /journal is 0{32}/
    })
  })

  it('keeps the segments that the checkpoint before the newest needs, and no older ones', async () => {
    const rig = await openRig({ journalBytesMax: 4 * MIB })
    for (let round = 0; round < 12; round++) {
      await rig.accept('x'.repeat(MIB / 2))
      await settle(rig)
    }
    ok(rig.journal.sizeBytes < 3 * MIB, `${rig.journal.sizeBytes} bytes`)
    await rig.kill()
    const second = await openRig({ journalBytesMax: 4 * MIB })
    strictEqual(second.host.stats.spansAccepted, 12 * (MIB / 2))
    strictEqual(second.host.payloadsAccepted, 12)
  })
})

describe('a graceful stop', () => {
  it('ends with a tick, everything stored, and the checkpoint of what was there', async () => {
    const rig = await openRig()
    await rig.accept('a')
    rig.intake.refuseAll()
    strictEqual(await rig.intake.finish(new AbortController().signal), true)
    deepStrictEqual(rig.stored.map(textOf), ['1'])
    strictEqual(rig.intake.nextPosition, 2)
  })

  it('is given up in time when the store is away, and loses nothing', async () => {
    const first = await openRig()
    first.storeFailures = Number.POSITIVE_INFINITY
    await first.accept('a')
    first.intake.refuseAll()
    const stopping = new AbortController()
    const finished = first.intake.finish(stopping.signal)
    await eventually(() => first.host.unstoredCount === 1)
    stopping.abort()
    strictEqual(await finished, false)
    await first.kill()
    const second = await openRig()
    await settle(second)
    deepStrictEqual(second.stored.map(textOf), ['1'])
  })
})
