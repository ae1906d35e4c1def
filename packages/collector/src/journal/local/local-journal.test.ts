import { deepStrictEqual, match, ok, rejects, strictEqual } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, it } from 'vitest'
import {
  journalContract,
  MIB,
  payload,
  readAll,
  textOf,
  tick
} from '../journal.contract.testkit.ts'
import type { NewRecord } from '../journal.ts'
import { createLocalJournal, type LocalJournalOptions } from './local-journal.ts'
import { decodeHeader, encodeHeader, HEADER_BYTES } from './record-codec.ts'

const directories: string[] = []

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spanloom-journal-'))
  directories.push(directory)
  return directory
}

function journalAt(directory: string, options: Partial<LocalJournalOptions> = {}) {
  return createLocalJournal({
    directory,
    bytesMax: 64 * MIB,
    segmentBytes: 16 * MIB,
    newId: () => randomBytes(16).toString('hex'),
    ...options
  })
}

async function filled(directory: string, texts: readonly string[]): Promise<string> {
  const journal = journalAt(directory)
  await journal.open()
  for (const [index, text] of texts.entries()) await journal.append(payload(text, index))
  await journal.close()
  return join(directory, '0000000000000000.segment')
}

journalContract('local', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spanloom-journal-'))
  return {
    journal: (limits) => journalAt(directory, limits),
    remove: () => rm(directory, { recursive: true })
  }
})

describe('local journal after a crash', () => {
  it('cuts off a record that is torn at any byte, and goes on from there', async () => {
    const directory = await makeDirectory()
    const file = await filled(directory, ['first', 'second', 'the torn one'])
    const whole = await readFile(file)
    const lastStart = whole.length - HEADER_BYTES - 'the torn one'.length
    for (let end = lastStart; end < whole.length; end++) {
      await writeFile(file, whole)
      await truncate(file, end)
      const journal = journalAt(directory)
      const state = await journal.open()
      strictEqual(state.nextPosition, 2, `cut at byte ${end}`)
      strictEqual(state.lastClockMs, 1)
      strictEqual(await journal.append(payload('again', 2)), 2)
      deepStrictEqual((await readAll(journal)).map(textOf), ['first', 'second', 'again'])
      await journal.close()
    }
  })

  it('cuts off a torn group: none of its records was acknowledged, whole or not', async () => {
    const directory = await makeDirectory()
    const journal = journalAt(directory)
    await journal.open()
    await journal.append(payload('acknowledged'))
    const file = join(directory, '0000000000000000.segment')
    const durableBytes = (await readFile(file)).length
    // The first append starts a group of its own; the others wait for it and make the next.
    await Promise.all(['lone', 'a', 'b', 'c'].map((text) => journal.append(payload(text))))
    await journal.close()
    const bytes = await readFile(file)
    const groupStart = durableBytes + HEADER_BYTES + 'lone'.length
    bytes[groupStart + 50] = 0xff
    bytes.fill(0xff, groupStart, groupStart + 4)
    await writeFile(file, bytes)
    const second = journalAt(directory)
    strictEqual((await second.open()).nextPosition, 2)
    await second.close()
  })

  it('says which file and byte when any byte of an acknowledged record changed', async () => {
    const directory = await makeDirectory()
    const file = await filled(directory, ['first', 'second', 'third'])
    const whole = await readFile(file)
    const start = HEADER_BYTES + 'first'.length
    for (let byte = start; byte < start + HEADER_BYTES + 'second'.length; byte++) {
      const bytes = Buffer.from(whole)
      bytes[byte]! ^= 0x10
      await writeFile(file, bytes)
      const journal = journalAt(directory)
      await rejects(journal.open(), (error: Error & { code: string }) => {
        strictEqual(error.code, 'JOURNAL_DAMAGED')
        match(error.message, new RegExp(`0000000000000000\\.segment, byte ${start}: `))
        return true
      })
      await journal.close()
    }
  })

  it('finds damage and gaps in older segments when it reads them', async () => {
    const directory = await makeDirectory()
    const options = { segmentBytes: 65_536 }
    const journal = journalAt(directory, options)
    await journal.open()
    for (let count = 0; count < 8; count++) await journal.append(payload('x'.repeat(30_000)))
    await journal.close()
    const names = (await readdir(directory)).filter((name) => name.endsWith('.segment')).sort()
    ok(names.length >= 4)

    const second = join(directory, names[1]!)
    const bytes = await readFile(second)
    bytes[1_000]! ^= 1
    await writeFile(second, bytes)
    const damaged = journalAt(directory, options)
    await damaged.open()
    await rejects(readAll(damaged), { code: 'JOURNAL_DAMAGED' })
    strictEqual((await readAll(damaged, 4)).length, 4)
    await damaged.close()

    await unlink(second)
    const gapped = journalAt(directory, options)
    await gapped.open()
    await rejects(readAll(gapped), { code: 'JOURNAL_DAMAGED' })
    await gapped.close()
  })

  it('takes its clock from the segment before when the last one is still empty', async () => {
    const directory = await makeDirectory()
    await filled(directory, ['a', 'b', 'c'])
    await writeFile(join(directory, '0000000000000003.segment'), '')
    const journal = journalAt(directory)
    const state = await journal.open()
    strictEqual(state.nextPosition, 3)
    strictEqual(state.lastClockMs, 2)
    await journal.close()
  })

  it('does not start anew when its id or its segments are gone', async () => {
    const directory = await makeDirectory()
    const file = await filled(directory, ['a'])
    const id = await readFile(join(directory, 'journal-id'))
    await unlink(join(directory, 'journal-id'))
    await rejects(journalAt(directory).open(), { code: 'JOURNAL_DAMAGED' })
    await writeFile(join(directory, 'journal-id'), id)
    await unlink(file)
    await rejects(journalAt(directory).open(), { code: 'JOURNAL_DAMAGED' })
  })
})

describe('a record', () => {
  it('has the compression of its body in byte 10, by a number that never changes', async () => {
    const directory = await makeDirectory()
    const journal = journalAt(directory)
    await journal.open()
    for (const compression of ['identity', 'gzip', 'zstd'] as const) {
      await journal.append({ ...payload(''), compression } as NewRecord)
    }
    await journal.close()
    const bytes = await readFile(join(directory, '0000000000000000.segment'))
    deepStrictEqual(
      [0, 1, 2].map((record) => bytes[record * HEADER_BYTES + 10]),
      [0, 1, 2]
    )
  })

  it('with another number cannot be read', () => {
    const header = encodeHeader(payload(''), 0, 0)
    header[10] = 3
    strictEqual(decodeHeader(header, 0), 'unknown compression 3')
  })
})

describe('local journal on a disk that fails', () => {
  /** Opens files whose next `failures` writes or syncs fail after half of the bytes are there. */
  function failingOpen(fails: () => 'write' | 'sync' | undefined): typeof open {
    return async (...args) => {
      const file = await open(...args)
      const writev = file.writev.bind(file)
      const datasync = file.datasync.bind(file)
      file.writev = (async (buffers: NodeJS.ArrayBufferView[], position?: number) => {
        if (fails() !== 'write') return await writev(buffers, position)
        await writev(buffers.slice(0, -1), position)
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      }) as typeof file.writev
      file.datasync = async () => {
        if (fails() !== 'sync') return await datasync()
        throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
      }
      return file
    }
  }

  for (const what of ['write', 'sync'] as const) {
    it(`acknowledges nothing when a ${what} fails, and goes on when it works again`, async () => {
      const directory = await makeDirectory()
      let failing = false
      const openFile = failingOpen(() => (failing ? what : undefined))
      const journal = journalAt(directory, { openFile })
      await journal.open()
      await journal.append(payload('kept'))
      failing = true
      const refused = ['lost 1', 'lost 2', 'lost 3'].map((text) => journal.append(payload(text)))
      for (const result of await Promise.allSettled(refused)) {
        strictEqual(result.status, 'rejected')
        strictEqual(result.reason.code, 'JOURNAL_WRITE_FAILED')
      }
      const sizeBytes = journal.sizeBytes
      failing = false
      strictEqual(await journal.append(tick(1)), 1)
      strictEqual(journal.sizeBytes, sizeBytes + HEADER_BYTES)
      strictEqual(await journal.append(payload('kept too')), 2)
      await journal.close()

      const second = journalAt(directory)
      await second.open()
      deepStrictEqual((await readAll(second)).map(textOf), ['kept', 'tick', 'kept too'])
      await second.close()
    })
  }

  it('rejects an append when the next segment cannot be made, and makes it later', async () => {
    const directory = await makeDirectory()
    let failing = false
    const openFile: typeof open = async (...args) => {
      if (failing) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
      return await open(...args)
    }
    const journal = journalAt(directory, { openFile, segmentBytes: 65_536 })
    await journal.open()
    await journal.append(payload('x'.repeat(60_000)))
    failing = true
    await rejects(journal.append(payload('y'.repeat(60_000))), { code: 'JOURNAL_WRITE_FAILED' })
    failing = false
    strictEqual(await journal.append(payload('y'.repeat(60_000))), 1)
    strictEqual((await readAll(journal)).length, 2)
    await journal.close()
  })
})
