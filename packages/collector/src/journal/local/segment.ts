/**
 * Segment files: `journal/0000000000000042.segment` holds records from position 42 on, without
 * gaps, up to where the next file begins. Only the last one is written to; a file is synced whole
 * before the next is made.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CollectorError } from '../../errors.ts'
import type { JournalRecord } from '../../model/journal-record.ts'
import { checks, decodeHeader, HEADER_BYTES, type RecordHeader, toRecord } from './record-codec.ts'

/** One read of the file; larger records are read by themselves. */
const CHUNK_BYTES = 1_048_576
const NAME = /^(\d{16})\.segment$/

export interface Segment {
  readonly path: string
  readonly firstPosition: number
  sizeBytes: number
}

export function segmentPath(directory: string, firstPosition: number): string {
  return join(directory, `${String(firstPosition).padStart(16, '0')}.segment`)
}

/** Oldest first. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).sort()
  return names.map((name) => ({
    path: join(directory, name),
    firstPosition: Number(NAME.exec(name)?.[1]),
    sizeBytes: 0
  }))
}

export interface FoundRecord {
  /** Its first byte in the file, and the byte after its last. */
  readonly start: number
  readonly end: number
  readonly record: JournalRecord
}

/** Where a segment stops making sense; the records before it are whole. */
export interface BadRecord {
  readonly start: number
  readonly reason: string
}

/**
 * Yields the records of the first `endByte` bytes in order. When one does not check it yields
 * what is wrong with it, and is done: after a wrong length nothing can be trusted.
 */
export async function* readSegment(
  segment: Segment,
  endByte: number
): AsyncGenerator<FoundRecord | BadRecord> {
  const file = await open(segment.path, 'r')
  try {
    const window = new FileWindow(file, endByte)
    let position = segment.firstPosition
    let start = 0
    while (start < endByte) {
      const found = await readRecord(window, start, position)
      yield found
      if (!('record' in found)) return
      start = found.end
      position++
    }
  } finally {
    await file.close()
  }
}

async function readRecord(
  window: FileWindow,
  start: number,
  position: number
): Promise<FoundRecord | BadRecord> {
  const headerBytes = await window.read(start, HEADER_BYTES)
  if (headerBytes === undefined) return { start, reason: 'it ends inside a record' }
  const header = decodeHeader(headerBytes, 0)
  if (typeof header === 'string') return { start, reason: header }
  const end = start + HEADER_BYTES + header.length
  const kept = Buffer.from(headerBytes)
  const bodyBytes = await window.read(start + HEADER_BYTES, header.length)
  if (bodyBytes === undefined) return { start, reason: 'it ends inside a record' }
  if (!checks(header, kept, bodyBytes)) return { start, reason: 'a checksum differs' }
  if (header.position !== position) {
    return { start, reason: `position ${header.position} instead of ${position}` }
  }
  // Copied into memory of its own: it will be transferred to another thread.
  return { start, end, record: toRecord(header, new Uint8Array(bodyBytes)) }
}

/** Reads a file forward through one reused buffer. What `read` returns lasts until the next one. */
class FileWindow {
  readonly #file: FileHandle
  readonly #endByte: number
  #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #from = 0
  #length = 0

  constructor(file: FileHandle, endByte: number) {
    this.#file = file
    this.#endByte = endByte
  }

  /** `undefined` when the file ends before. */
  async read(at: number, byteCount: number): Promise<Buffer | undefined> {
    if (at + byteCount > this.#endByte) return undefined
    if (at < this.#from || at + byteCount > this.#from + this.#length) {
      await this.#fill(at, byteCount)
      if (this.#length < byteCount) return undefined
    }
    return this.#buffer.subarray(at - this.#from, at - this.#from + byteCount)
  }

  async #fill(at: number, byteCount: number): Promise<void> {
    const wanted = Math.min(Math.max(byteCount, CHUNK_BYTES), this.#endByte - at)
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted)
    this.#from = at
    this.#length = 0
    while (this.#length < wanted) {
      const { bytesRead } = await this.#file.read(
        this.#buffer,
        this.#length,
        wanted - this.#length,
        at + this.#length
      )
      if (bytesRead === 0) return
      this.#length += bytesRead
    }
  }
}

/**
 * Is the bad record at `bad.start` a torn end? It is damage when a whole record after it says that
 * the file was durable beyond `bad.start`. Records after it are looked for at every byte, because
 * the bad record's length may be what is wrong; a header has to look right before its checksum is
 * computed, so this is one pass.
 */
export async function isTornEnd(segment: Segment, bad: BadRecord, nextPosition: number) {
  const file = await open(segment.path, 'r')
  try {
    const rest = Buffer.alloc(segment.sizeBytes - bad.start)
    const { bytesRead } = await file.read(rest, 0, rest.length, bad.start)
    return !hasLaterWitness(rest.subarray(0, bytesRead), bad.start, nextPosition)
  } finally {
    await file.close()
  }
}

function hasLaterWitness(rest: Buffer, badStart: number, nextPosition: number): boolean {
  for (let at = 1; at + HEADER_BYTES <= rest.length; at++) {
    const header = decodeHeader(rest, at)
    if (typeof header === 'string' || !isLater(header, badStart, nextPosition)) continue
    const bodyStart = at + HEADER_BYTES
    if (bodyStart + header.length > rest.length) continue
    const body = rest.subarray(bodyStart, bodyStart + header.length)
    if (checks(header, rest.subarray(at, bodyStart), body)) return true
  }
  return false
}

function isLater(header: RecordHeader, badStart: number, nextPosition: number): boolean {
  return (
    Number.isSafeInteger(header.position) &&
    header.position > nextPosition &&
    header.durableBytes > badStart
  )
}

export function damaged(segment: Segment, bad: BadRecord): CollectorError {
  return new CollectorError('JOURNAL_DAMAGED', [basename(segment.path), bad.start, bad.reason])
}
