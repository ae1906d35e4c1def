/** What the engine's process may do to us: die, hang, be held by another, meet strange paths. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CollectorError } from '../../errors.ts'
import { CUT_BLOCK_MS, DATABASE, insertVersion, SCHEMA_VERSION } from '../clickhouse/schema.ts'
import { spanIdOf, traceIdOf } from '../kept-trace.testkit.ts'
import { T0, T0_MS, tracesBatch } from '../store.contract.testkit.ts'
import { testDir } from './chdb-store.testkit.ts'
import { type ChdbStore, createChdbStore } from './chdb-store.ts'
import { EngineHost } from './engine-host.ts'

const signal: AbortSignal = new AbortController().signal
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const WAIT = { timeout: 20_000, interval: 20 }

let dataDir: string
beforeAll(async () => {
  dataDir = await testDir()
})
afterAll(() => rm(dataDir, { recursive: true }))

async function inDir(name: string): Promise<string> {
  const dir = join(dataDir, name)
  await mkdir(dir, { recursive: true })
  return dir
}

function storeIn(dir: string, nowUnixMs = T0_MS): ChdbStore {
  return createChdbStore({ dataDir: dir, retentionHours: 72, nowUnixMs: () => nowUnixMs })
}

function batchOfSpans(number: number, spanCount: number) {
  const spans = Array.from({ length: spanCount }, (_, index) => ({ spanId: spanIdOf(index + 1) }))
  const traceId = traceIdOf(number)
  return tracesBatch([{ traceId, startUnixNano: T0, spans }], `kill:${number}`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('an engine that is killed', () => {
  it('loses and doubles nothing: eight times, in the middle of inserts', async () => {
    const store = storeIn(await inDir('killed'))
    await store.open(signal)
    const rounds = 8
    const batchesInRound = 4
    const spanCount = 2_000
    for (let round = 0; round < rounds; round++) {
      const batches = Array.from({ length: batchesInRound }, (_, index) =>
        batchOfSpans(1 + round * batchesInRound + index, spanCount)
      )
      const written = Promise.all(batches.map((batch) => writeUntilDone(store, batch)))
      // A different moment of the inserts in each round.
      await until(async () => store.enginePid !== undefined)
      await new Promise((resolve) => setTimeout(resolve, round * 9))
      if (store.enginePid !== undefined) process.kill(store.enginePid, 'SIGKILL')
      await written
    }
    const traces = rounds * batchesInRound
    await until(async () => store.enginePid !== undefined)
    expect(await store.count(signal)).toEqual({ spans: traces * spanCount, traces })
    const query = { fromUnixMs: 0, toUnixMs: T0_MS + 1, attributes: [], limit: 200 }
    for (const { spanCount: counted } of await store.findTraces(query, signal)) {
      expect(counted).toBe(spanCount)
    }
    await store.close()
  })

  it('is unavailable until it has started again, and says why', async () => {
    const reports: string[] = []
    const store = createChdbStore({
      dataDir: await inDir('restarted'),
      retentionHours: 72,
      nowUnixMs: () => T0_MS,
      report: (sentence) => reports.push(sentence)
    })
    await store.open(signal)
    await store.write(batchOfSpans(1, 1), signal)
    const first = store.enginePid!
    process.kill(first, 'SIGKILL')
    await until(async () => store.enginePid !== first)
    await expect(store.count(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(store.write(batchOfSpans(2, 1), signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE'
    })
    await until(async () => store.enginePid !== undefined)
    expect(await store.count(signal)).toEqual({ spans: 1, traces: 1 })
    expect(reports).toHaveLength(1)
    expect(reports[0]).toContain('SIGKILL')
    await store.close()
    expect(reports).toHaveLength(1)
  })

  it('fails what was under way', async () => {
    const host = new EngineHost(await inDir('under way'), () => {})
    await host.open(signal)
    const slow = host.select(SLOW, signal)
    await until(async () => (await runningOn(host)) === 1)
    process.kill(host.pid!, 'SIGKILL')
    await expect(slow).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await host.close()
  })
})

const SLOW = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'

async function runningOn(host: EngineHost): Promise<number> {
  const sql = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%'"
  const rows = await host.select(`${sql} AND query NOT LIKE '%system.processes%'`, signal)
  return rows[0]![0] as number
}

describe('a question', () => {
  let host: EngineHost
  beforeAll(async () => {
    host = new EngineHost(await inDir('questions'), () => {})
    await host.open(signal)
  })
  afterAll(() => host.close())

  it('that is aborted fails at once, and leaves its reader free', async () => {
    for (let round = 0; round < 4; round++) {
      const abort = new AbortController()
      const slow = host.select(SLOW, abort.signal)
      await until(async () => (await runningOn(host)) === 1)
      const reason = new Error('the client has gone')
      abort.abort(reason)
      await expect(slow).rejects.toBe(reason)
      await until(async () => (await runningOn(host)) === 0)
    }
    expect(await host.select('SELECT 1', signal)).toEqual([[1]])
  })

  it('that is aborted while it waits is never asked', async () => {
    const aborts = [new AbortController(), new AbortController(), new AbortController()]
    const asked = aborts.map((abort) => host.select(SLOW, abort.signal))
    for (const abort of aborts.toReversed()) abort.abort(new Error('gone'))
    for (const question of asked) await expect(question).rejects.toThrow('gone')
    expect(await host.select('SELECT 1', signal)).toEqual([[1]])
  })

  it('beyond the 64 that may wait is refused', async () => {
    const abort = new AbortController()
    const asked = Array.from({ length: 66 }, () => host.select(SLOW, abort.signal))
    await expect(host.select('SELECT 1', signal)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    abort.abort(new Error('gone'))
    for (const question of asked) await expect(question).rejects.toThrow('gone')
    expect(await host.select('SELECT 1', signal)).toEqual([[1]])
  })

  it('with too many rows or too much memory is stopped', async () => {
    await expect(host.select('SELECT number FROM numbers(200001)', signal)).rejects.toMatchObject({
      code: 'STORE_QUERY_TOO_LARGE'
    })
    const large = 'SELECT length(groupArray(number)) FROM numbers(100000000)'
    await expect(host.select(large, signal)).rejects.toMatchObject({
      code: 'STORE_QUERY_TOO_LARGE'
    })
    expect(await host.select('SELECT count() FROM numbers(200000)', signal)).toEqual([[200_000]])
  })

  it('that is wrong fails with the words of the engine', async () => {
    await expect(host.select('SELECT no_such_column', signal)).rejects.toMatchObject({
      code: 'STORE_QUERY_FAILED',
      message: expect.stringContaining('no_such_column')
    })
  })
})

describe('a data directory', () => {
  it('is refused while another process has it, and free when that is gone', async () => {
    const dir = await inDir('locked')
    const holder = spawn(process.execPath, [CHILD_PROBE, dir], { stdio: ['ignore', 'pipe', 2] })
    const pid = Number(await firstChunk(holder.stdout!))
    await expect(storeIn(dir).open(signal)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    // As a collector that is killed: it cannot stop its engine, which must go by itself.
    holder.kill('SIGKILL')
    const store = storeIn(dir)
    await store.open(signal)
    await until(async () => !isAlive(pid))
    await store.close()
  })

  it('may have any name but one with a pattern in it', async () => {
    for (const name of [`it's "odd" \\ ü`, 'a`b;$(c)', ' space ']) {
      const dir = await inDir(name)
      const store = storeIn(dir)
      await store.open(signal)
      await store.write(batchOfSpans(1, 1), signal)
      expect(await store.count(signal)).toEqual({ spans: 1, traces: 1 })
      await store.close()
    }
    for (const name of ['a*', 'a?', '{a,b}']) {
      await expect(storeIn(await inDir(name)).open(signal)).rejects.toMatchObject({
        code: 'STORE_DATA_DIR_UNUSABLE'
      })
    }
  })

  it('goes on where it was, without what an insert left in the spool', async () => {
    const dir = await inDir('reopened')
    const first = storeIn(dir)
    await first.open(signal)
    await first.write(batchOfSpans(1, 3), signal)
    await first.close()
    expect(await readdir(join(dir, 'spool'))).toEqual([])
    await writeFile(join(dir, 'spool', 'left.bin'), 'half a row')
    const second = storeIn(dir)
    await second.open(signal)
    expect(await readdir(join(dir, 'spool'))).toEqual([])
    await second.write(batchOfSpans(1, 3), signal)
    expect(await second.count(signal)).toEqual({ spans: 3, traces: 1 })
    await second.close()
  })

  it('of a newer version is left alone', async () => {
    const dir = await inDir('newer')
    const store = storeIn(dir)
    await store.open(signal)
    await store.close()
    const host = new EngineHost(dir, () => {})
    await host.open(signal)
    await host.command(insertVersion(SCHEMA_VERSION + 1))
    await host.close()
    await expect(storeIn(dir).open(signal)).rejects.toMatchObject({ code: 'STORE_SCHEMA_NEWER' })
  })

  it('loses what is older than the retention, and nothing else', async () => {
    const dir = await inDir('retention')
    const store = storeIn(dir)
    await store.open(signal)
    await store.write(batchOfSpans(1, 2), signal)
    await store.close()
    // Batches are cut at T0: the last time that their block must still be there, and the first after.
    const endOfBlock = (Math.floor(T0_MS / CUT_BLOCK_MS) + 1) * CUT_BLOCK_MS
    const lastKept = endOfBlock + 72 * 3_600_000 - 1
    const keeping = storeIn(dir, lastKept)
    await keeping.open(signal)
    expect(await keeping.count(signal)).toEqual({ spans: 2, traces: 1 })
    await keeping.close()
    const dropping = storeIn(dir, lastKept + 1)
    await dropping.open(signal)
    expect(await dropping.count(signal)).toEqual({ spans: 0, traces: 0 })
    await dropping.close()
    const host = new EngineHost(dir, () => {})
    await host.open(signal)
    const parts = `SELECT count() FROM system.parts WHERE database = '${DATABASE}' AND active`
    expect(await host.select(`${parts} AND table != 'schema_version'`, signal)).toEqual([[0]])
    await host.close()
  })
})

describe('a store that is closed', () => {
  it('finishes what it was given, and takes no more', async () => {
    const dir = await inDir('closed')
    const store = storeIn(dir)
    await store.open(signal)
    const pid = store.enginePid!
    const writes = [1, 2, 3].map((number) => store.write(batchOfSpans(number, 500), signal))
    await store.close()
    await Promise.all(writes)
    expect(isAlive(pid)).toBe(false)
    await expect(store.count(signal)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await expect(store.write(batchOfSpans(4, 1), signal)).rejects.toBeInstanceOf(CollectorError)
    await store.close()
  })
})

/** As the shards' writer does. */
async function writeUntilDone(store: ChdbStore, batch: ReturnType<typeof batchOfSpans>) {
  for (;;) {
    try {
      return await store.write(batch, signal)
    } catch (error) {
      if ((error as CollectorError).code !== 'STORE_UNAVAILABLE') throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, WAIT).toBe(true)
}

const CHILD_PROBE = new URL('./hold-store.testkit.ts', import.meta.url).pathname

async function firstChunk(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk)
  throw new Error('the process ended without a word')
}
