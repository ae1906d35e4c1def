/** What every journal promises. Run once for each adapter, on a place that outlives `close`. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { describe, it } from 'vitest'
import type { JournalRecord } from '../model/journal-record.ts'
import type { Journal, NewRecord } from './journal.ts'

export interface JournalPlace {
  /** A journal on this place, not opened yet; the one before was closed, or its process died. */
  journal(limits?: { bytesMax?: number; segmentBytes?: number }): Journal
  remove(): Promise<void>
}

export const MIB = 1_048_576

export function payload(text: string, clockMs = 0): NewRecord {
  const bytes = new TextEncoder().encode(text)
  return { kind: 'payload', clockMs, receivedUnixMs: 1_700_000_000_000, compression: 'gzip', bytes }
}

export function tick(clockMs: number): NewRecord {
  return { kind: 'tick', clockMs, receivedUnixMs: 1_700_000_000_000 }
}

export async function readAll(journal: Journal, from = 0): Promise<JournalRecord[]> {
  const records: JournalRecord[] = []
  for await (const record of journal.read(from)) records.push(record)
  return records
}

export function textOf(record: JournalRecord | undefined): string {
  return record?.kind === 'payload' ? new TextDecoder().decode(record.bytes) : `${record?.kind}`
}

export function journalContract(name: string, makePlace: () => Promise<JournalPlace>): void {
  async function onPlace(use: (place: JournalPlace) => Promise<void>): Promise<void> {
    const place = await makePlace()
    try {
      await use(place)
    } finally {
      await place.remove()
    }
  }

  describe(`Journal contract: ${name}`, () => {
    it('starts empty, with an id of its own that it keeps', () =>
      onPlace(async (place) => {
        const first = place.journal()
        const state = await first.open()
        deepStrictEqual(
          { ...state, journalId: '' },
          {
            journalId: '',
            firstPosition: 0,
            nextPosition: 0,
            lastClockMs: 0
          }
        )
        await first.close()
        const second = place.journal()
        strictEqual((await second.open()).journalId, state.journalId)
        await second.close()
        await onPlace(async (other) => {
          const third = other.journal()
          ok((await third.open()).journalId !== state.journalId)
          await third.close()
        })
      }))

    it('gives positions from 0 without gaps, and reads back what was appended', () =>
      onPlace(async (place) => {
        const journal = place.journal()
        await journal.open()
        strictEqual(await journal.append(payload('a', 5)), 0)
        strictEqual(await journal.append(tick(7)), 1)
        strictEqual(
          await journal.append({ ...(payload('', 9) as object), compression: 'identity' } as never),
          2
        )
        strictEqual(await journal.append({ ...payload('m', 11), kind: 'metrics' } as NewRecord), 3)
        strictEqual(
          await journal.append({ ...payload('z', 13), compression: 'zstd' } as NewRecord),
          4
        )
        deepStrictEqual(await readAll(journal), [
          {
            kind: 'payload',
            position: 0,
            clockMs: 5,
            receivedUnixMs: 1_700_000_000_000,
            compression: 'gzip',
            bytes: new TextEncoder().encode('a')
          },
          { kind: 'tick', position: 1, clockMs: 7, receivedUnixMs: 1_700_000_000_000 },
          {
            kind: 'payload',
            position: 2,
            clockMs: 9,
            receivedUnixMs: 1_700_000_000_000,
            compression: 'identity',
            bytes: new Uint8Array(0)
          },
          {
            kind: 'metrics',
            position: 3,
            clockMs: 11,
            receivedUnixMs: 1_700_000_000_000,
            compression: 'gzip',
            bytes: new TextEncoder().encode('m')
          },
          {
            kind: 'payload',
            position: 4,
            clockMs: 13,
            receivedUnixMs: 1_700_000_000_000,
            compression: 'zstd',
            bytes: new TextEncoder().encode('z')
          }
        ])
        await journal.close()
      }))

    it('resolves appends in the order of the calls, however many are under way', () =>
      onPlace(async (place) => {
        const journal = place.journal({ segmentBytes: 65_536 })
        await journal.open()
        const order: number[] = []
        await Promise.all(
          Array.from({ length: 1_000 }, async (_, index) => {
            const position = await journal.append(payload(`payload ${index} ${'x'.repeat(index)}`))
            strictEqual(position, index)
            order.push(index)
          })
        )
        deepStrictEqual(
          order,
          Array.from({ length: 1_000 }, (_, index) => index)
        )
        const records = await readAll(journal)
        strictEqual(records.length, 1_000)
        for (const [index, record] of records.entries()) {
          ok(textOf(record).startsWith(`payload ${index} `))
        }
        await journal.close()
      }))

    it('continues where it was after it was closed', () =>
      onPlace(async (place) => {
        const first = place.journal()
        await first.open()
        await first.append(payload('a', 11))
        await first.append(tick(12))
        await first.close()
        const second = place.journal()
        const state = await second.open()
        strictEqual(state.nextPosition, 2)
        strictEqual(state.lastClockMs, 12)
        strictEqual(await second.append(payload('b', 13)), 2)
        deepStrictEqual((await readAll(second, 1)).map(textOf), ['tick', 'b'])
        await second.close()
      }))

    it('reads records whose bytes have memory of their own', () =>
      onPlace(async (place) => {
        const journal = place.journal()
        await journal.open()
        await journal.append(payload('abc'))
        await journal.append(payload('def'))
        for (const record of await readAll(journal)) {
          if (record.kind !== 'payload') throw new Error('not a payload')
          strictEqual(record.bytes.buffer.byteLength, 3)
        }
        await journal.close()
      }))

    it('refuses the payload that would go over its limit, and takes ticks still', () =>
      onPlace(async (place) => {
        const journal = place.journal({ bytesMax: 4 * MIB })
        await journal.open()
        const body = 'x'.repeat(MIB)
        for (let count = 0; count < 3; count++) await journal.append(payload(body))
        await rejects(journal.append(payload(body)), { code: 'JOURNAL_FULL' })
        strictEqual(await journal.append(tick(1)), 3)
        ok(journal.sizeBytes <= 4 * MIB)
        await journal.close()
      }))

    it('has room again once records are trimmed, and keeps those from the position on', () =>
      onPlace(async (place) => {
        const journal = place.journal({ bytesMax: 4 * MIB })
        await journal.open()
        const body = 'x'.repeat(MIB / 2)
        let count = 0
        while (journal.sizeBytes + body.length + 1_000 < 4 * MIB) {
          await journal.append(payload(body))
          count++
        }
        await journal.trim(count)
        ok(journal.sizeBytes < 2 * MIB, `${journal.sizeBytes} bytes`)
        strictEqual(await journal.append(payload('more')), count)
        strictEqual(textOf((await readAll(journal, count))[0]), 'more')
        await journal.close()

        const second = place.journal()
        const state = await second.open()
        ok(state.firstPosition > 0 && state.firstPosition <= count)
        strictEqual(state.nextPosition, count + 1)
        await second.close()
      }))

    it('finishes the appends under way when it closes, and refuses later ones', () =>
      onPlace(async (place) => {
        const journal = place.journal()
        await journal.open()
        const appends = [journal.append(payload('a')), journal.append(payload('b'))]
        await journal.close()
        deepStrictEqual(await Promise.all(appends), [0, 1])
        await rejects(journal.append(payload('c')), { code: 'JOURNAL_CLOSED' })
      }))
  })
}
