import { rejects, strictEqual } from 'node:assert'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { takeDataDir } from './data-dir.ts'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spanloom-data-'))
})

afterEach(() => rm(directory, { recursive: true }))

describe('the data directory', () => {
  it('is made, and taken once until it is released', async () => {
    const path = join(directory, 'a', 'b')
    const first = await takeDataDir(path)
    await rejects(takeDataDir(path), { code: 'CONFIG_DATA_DIR_LOCKED' })
    await first.release()
    const second = await takeDataDir(path)
    await second.release()
    strictEqual((await readdir(path)).length, 0)
  })

  it('is taken from the dead, from another life of the same process id, and from rubbish', async () => {
    const lock = join(directory, 'collector.lock')
    const mine = await takeDataDir(directory)
    const [pid] = (await readFile(lock, 'utf8')).split(' ')
    await mine.release()
    // Linux process ids end at 2^22.
    for (const text of ['4194305 x/1\n', `${pid} another-boot/1\n`, 'rubbish', '', '0 -\n']) {
      await writeFile(lock, text)
      const taken = await takeDataDir(directory)
      await taken.release()
    }
  })

  it('is given to one of many that come at once, also over a dead lock', async () => {
    await writeFile(join(directory, 'collector.lock'), '4194305 x/1\n')
    const results = await Promise.allSettled([takeDataDir(directory), takeDataDir(directory)])
    const taken = results.filter((result) => result.status === 'fulfilled')
    strictEqual(taken.length <= 1, true)
  })

  it('does not remove the lock of whoever has it now', async () => {
    const first = await takeDataDir(directory)
    const lock = join(directory, 'collector.lock')
    await writeFile(lock, '1 other\n')
    await first.release()
    strictEqual(await readFile(lock, 'utf8'), '1 other\n')
  })
})
