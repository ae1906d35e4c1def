/**
 * The journal in segment files on a local disk.
 *
 *   append ─→ pending ─→ group ─→ one writev, one fdatasync ─→ resolve, in order
 *                ↑ what comes while a group is being synced makes the next group
 *
 * A group lies in one segment. When its write fails, the file is cut back to what was durable
 * before anything else is written, so that no half of it can come to life after a crash; its
 * appends are rejected, and the next group tries anew.
 *
 * Limits: `bytesMax` on disk, for payloads only. Ticks (40 bytes each) are always let in: without
 * them no checkpoint would be taken, nothing trimmed, and a full journal would stay full.
 */
import { type FileHandle, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CollectorError, reasonOf } from '../../errors.ts'
import type { JournalRecord } from '../../model/journal-record.ts'
import type { Journal, JournalState, NewRecord } from '../journal.ts'
import { bodyOf, encodeHeader, HEADER_BYTES } from './record-codec.ts'
import {
  type BadRecord,
  damaged,
  isTornEnd,
  listSegments,
  readSegment,
  type Segment,
  segmentPath
} from './segment.ts'

/** Bounds what one failed sync rejects, and keeps a group below the kernel's 1,024 buffers. */
const GROUP_BYTES_MAX = 8_388_608
const GROUP_RECORDS_MAX = 256

const ID_FILE = 'journal-id'

export interface LocalJournalOptions {
  readonly directory: string
  readonly bytesMax: number
  /** Used up to a quarter of `bytesMax`: the last segment cannot be trimmed. */
  readonly segmentBytes: number
  /** Random, 32 hex digits. */
  readonly newId: () => string
  /** Opens the file that is appended to; tests give one that fails. */
  readonly openFile?: typeof open
}

interface PendingAppend {
  readonly record: NewRecord
  readonly byteCount: number
  resolve(position: number): void
  reject(error: Error): void
}

export function createLocalJournal(options: LocalJournalOptions): Journal {
  return new LocalJournal(options)
}

class LocalJournal implements Journal {
  readonly #directory: string
  readonly #bytesMax: number
  readonly #segmentBytes: number
  readonly #newId: () => string
  readonly #openFile: typeof open
  #state: 'new' | 'open' | 'closed' = 'new'
  /** Oldest first, the last one is written to; `sizeBytes` is what is durable. */
  #segments: Segment[] = []
  #file: FileHandle | undefined
  /** The file may be longer than what is durable: a write failed. */
  #dirty = false
  #nextPosition = 0
  #lastClockMs = 0
  #sizeBytes = 0
  readonly #pending: PendingAppend[] = []
  #pendingBytes = 0
  #writing: Promise<void> | undefined

  constructor(options: LocalJournalOptions) {
    this.#directory = options.directory
    this.#bytesMax = options.bytesMax
    this.#segmentBytes = Math.min(options.segmentBytes, Math.floor(options.bytesMax / 4))
    this.#newId = options.newId
    this.#openFile = options.openFile ?? open
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async open(): Promise<JournalState> {
    await mkdir(this.#directory, { recursive: true })
    this.#segments = await listSegments(this.#directory)
    for (const segment of this.#segments) segment.sizeBytes = (await stat(segment.path)).size
    const journalId = (await this.#readId()) ?? (await this.#create())
    await this.#openLast()
    this.#sizeBytes = this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    this.#state = 'open'
    return {
      journalId,
      firstPosition: this.#segments[0]!.firstPosition,
      nextPosition: this.#nextPosition,
      lastClockMs: this.#lastClockMs
    }
  }

  append(record: NewRecord): Promise<number> {
    if (this.#state !== 'open') return Promise.reject(new CollectorError('JOURNAL_CLOSED', []))
    const byteCount = HEADER_BYTES + bodyOf(record).length
    const wouldBe = this.#sizeBytes + this.#pendingBytes + byteCount
    if (record.kind !== 'tick' && wouldBe > this.#bytesMax) {
      return Promise.reject(new CollectorError('JOURNAL_FULL', [this.#bytesMax]))
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ record, byteCount, resolve, reject })
      this.#pendingBytes += byteCount
      this.#writing ??= this.#writeGroups()
    })
  }

  async *read(from: number): AsyncGenerator<JournalRecord> {
    const segments = this.#segments.map((segment) => ({ ...segment }))
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1]
      if (next !== undefined && next.firstPosition <= from) continue
      let position = segment.firstPosition
      for await (const found of readSegment(segment, segment.sizeBytes)) {
        if (!('record' in found)) throw damaged(segment, found)
        position = found.record.position + 1
        if (found.record.position >= from) yield found.record
      }
      if (next !== undefined && next.firstPosition !== position) {
        const reason = `positions ${position} to ${next.firstPosition - 1} are missing after it`
        throw damaged(segment, { start: segment.sizeBytes, reason })
      }
    }
  }

  async trim(position: number): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[1]!.firstPosition <= position) {
      const segment = this.#segments[0]!
      try {
        await unlink(segment.path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw writeFailed(segment, error)
      }
      this.#segments.shift()
      this.#sizeBytes -= segment.sizeBytes
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    await this.#writing
    await this.#file?.close()
    this.#file = undefined
  }

  async #readId(): Promise<string | undefined> {
    const file = join(this.#directory, ID_FILE)
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    const last = this.#segments.at(-1)
    if (text === undefined) {
      // The first, empty segment is made before the id: see #create.
      if (last === undefined || (last.firstPosition === 0 && last.sizeBytes === 0)) return undefined
      throw new CollectorError('JOURNAL_DAMAGED', [ID_FILE, 0, 'the file is missing'])
    }
    if (!/^[0-9a-f]{32}\n$/.test(text)) {
      throw new CollectorError('JOURNAL_DAMAGED', [ID_FILE, 0, 'it is not 32 hex digits'])
    }
    if (last === undefined) {
      throw new CollectorError('JOURNAL_DAMAGED', [ID_FILE, 0, 'all segment files are missing'])
    }
    return text.trimEnd()
  }

  async #create(): Promise<string> {
    const id = this.#newId()
    await this.#startSegment(0)
    await this.#file?.close()
    this.#file = undefined
    const temporary = join(this.#directory, `${ID_FILE}.new`)
    const file = await open(temporary, 'w')
    await file.writeFile(`${id}\n`)
    await file.sync()
    await file.close()
    await rename(temporary, join(this.#directory, ID_FILE))
    await this.#syncDirectory()
    return id
  }

  /** Finds the end of the last segment, cuts off what is torn, and makes the rest durable. */
  async #openLast(): Promise<void> {
    const last = this.#segments.at(-1)!
    const { nextPosition, bad, lastClockMs } = await scanToEnd(last)
    const file = await this.#openFile(last.path, 'r+')
    this.#file = file
    if (bad !== undefined) {
      if (!(await isTornEnd(last, bad, nextPosition))) throw damaged(last, bad)
      await file.truncate(bad.start)
      last.sizeBytes = bad.start
    }
    await file.sync()
    this.#nextPosition = nextPosition
    this.#lastClockMs = lastClockMs ?? (await this.#clockBeforeLast())
  }

  /** The last segment is empty: the crash came just after it was made. */
  async #clockBeforeLast(): Promise<number> {
    const before = this.#segments.at(-2)
    if (before === undefined) return 0
    const { bad, lastClockMs } = await scanToEnd(before)
    if (bad !== undefined) throw damaged(before, bad)
    return lastClockMs ?? 0
  }

  async #writeGroups(): Promise<void> {
    while (this.#pending.length > 0) {
      const group = this.#takeGroup()
      const byteCount = group.reduce((sum, append) => sum + append.byteCount, 0)
      try {
        await this.#writeGroup(group, byteCount)
      } catch (error) {
        this.#dirty = true
        this.#pendingBytes -= byteCount
        const failed = writeFailed(this.#segments.at(-1)!, error)
        for (const append of group) append.reject(failed)
        continue
      }
      this.#commit(group, byteCount)
    }
    this.#writing = undefined
  }

  /** As many as fit into the last segment; one at least. */
  #takeGroup(): PendingAppend[] {
    const used = this.#segments.at(-1)!.sizeBytes
    const first = this.#pending[0]!.byteCount
    const left = this.#segmentBytes - (used + first > this.#segmentBytes ? 0 : used)
    const bytesMax = Math.min(GROUP_BYTES_MAX, left)
    let count = 1
    let byteCount = first
    while (count < Math.min(this.#pending.length, GROUP_RECORDS_MAX)) {
      byteCount += this.#pending[count]!.byteCount
      if (byteCount > bytesMax) break
      count++
    }
    return this.#pending.splice(0, count)
  }

  async #writeGroup(group: readonly PendingAppend[], byteCount: number): Promise<void> {
    await this.#cutBack()
    const used = this.#segments.at(-1)!.sizeBytes
    if (used > 0 && used + byteCount > this.#segmentBytes) {
      await this.#startSegment(this.#nextPosition)
    }
    const file = this.#file!
    const start = this.#segments.at(-1)!.sizeBytes
    const buffers: Uint8Array[] = []
    for (const [index, { record }] of group.entries()) {
      buffers.push(encodeHeader(record, this.#nextPosition + index, start), bodyOf(record))
    }
    const { bytesWritten } = await file.writev(buffers, start)
    if (bytesWritten < byteCount) {
      // A short write is how a disk that is getting full shows first; the rest says why.
      await file.write(Buffer.concat(buffers).subarray(bytesWritten), {
        position: start + bytesWritten
      })
    }
    await file.datasync()
  }

  async #cutBack(): Promise<void> {
    if (!this.#dirty) return
    await this.#file!.truncate(this.#segments.at(-1)!.sizeBytes)
    this.#dirty = false
  }

  #commit(group: readonly PendingAppend[], byteCount: number): void {
    this.#segments.at(-1)!.sizeBytes += byteCount
    this.#sizeBytes += byteCount
    this.#pendingBytes -= byteCount
    for (const append of group) append.resolve(this.#nextPosition++)
  }

  async #startSegment(firstPosition: number): Promise<void> {
    const path = segmentPath(this.#directory, firstPosition)
    // 'w': an attempt that failed half-way may have left an empty file of this name.
    const file = await this.#openFile(path, 'w')
    try {
      await this.#syncDirectory()
    } catch (error) {
      await file.close()
      throw error
    }
    await this.#file?.close()
    this.#file = file
    if (this.#segments.at(-1)?.path === path) return
    this.#segments.push({ path, firstPosition, sizeBytes: 0 })
  }

  /** Makes a new name durable. */
  async #syncDirectory(): Promise<void> {
    if (process.platform === 'win32') return
    const directory = await open(this.#directory, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}

async function scanToEnd(segment: Segment) {
  let nextPosition = segment.firstPosition
  let lastClockMs: number | undefined
  let bad: BadRecord | undefined
  for await (const found of readSegment(segment, segment.sizeBytes)) {
    if ('record' in found) {
      nextPosition = found.record.position + 1
      lastClockMs = found.record.clockMs
    } else {
      bad = found
    }
  }
  return { nextPosition, lastClockMs, bad }
}

function writeFailed(segment: Segment, error: unknown): CollectorError {
  return new CollectorError(
    'JOURNAL_WRITE_FAILED',
    [basename(segment.path), reasonOf(error)],
    error
  )
}
