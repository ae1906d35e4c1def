/**
 * One record of a segment file, all numbers little-endian:
 *
 *   byte  0  crc            u32   CRC-32 of everything after it: bytes 4 … 40 + length
 *         4  length         u32   of the body
 *         8  version        u8    1
 *         9  kind           u8    1 payload, 2 tick, 3 metrics
 *        10  compression    u8    0 identity, 1 gzip, 2 zstd
 *        11  (zero)         u8
 *        12  durableBytes   u32   the file was durable up to here when this record was written
 *        16  position       f64   an integer up to 2^53
 *        24  clockMs        f64
 *        32  receivedUnixMs f64
 *        40  body           length bytes
 *
 * `durableBytes` tells a torn end from damage. A record is acknowledged once it is durable, so a
 * bad record that no later record calls durable was never acknowledged, and may be cut off; one
 * that a later record does call durable was, and losing it must not go unnoticed.
 */
import { crc32 } from 'node:zlib'
import type { Compression } from '../../model/compression.ts'
import type { JournalRecord } from '../../model/journal-record.ts'
import type { NewRecord } from '../journal.ts'

export const HEADER_BYTES = 40
/** A segment's offsets are u32. */
export const SEGMENT_BYTES_MAX = 0xffff_ffff

const VERSION = 1
const KIND_PAYLOAD = 1
const KIND_TICK = 2
const KIND_METRICS = 3
const KINDS = { payload: KIND_PAYLOAD, tick: KIND_TICK, metrics: KIND_METRICS } as const
const IDENTITY = 0
const GZIP = 1
const ZSTD = 2
const COMPRESSIONS = { identity: IDENTITY, gzip: GZIP, zstd: ZSTD } as const

const KIND_NAMES: Readonly<Record<number, JournalRecord['kind']>> = {
  [KIND_PAYLOAD]: 'payload',
  [KIND_TICK]: 'tick',
  [KIND_METRICS]: 'metrics'
}

const COMPRESSION_NAMES: Readonly<Record<number, Compression>> = {
  [IDENTITY]: 'identity',
  [GZIP]: 'gzip',
  [ZSTD]: 'zstd'
}

const NO_BODY = new Uint8Array(0)

export function bodyOf(record: NewRecord): Uint8Array {
  return record.kind === 'tick' ? NO_BODY : record.bytes
}

export function encodeHeader(record: NewRecord, position: number, durableBytes: number): Buffer {
  const body = bodyOf(record)
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(body.length, 4)
  header[8] = VERSION
  header[9] = KINDS[record.kind]
  header[10] = record.kind === 'tick' ? IDENTITY : COMPRESSIONS[record.compression]
  header.writeUInt32LE(durableBytes, 12)
  header.writeDoubleLE(position, 16)
  header.writeDoubleLE(record.clockMs, 24)
  header.writeDoubleLE(record.receivedUnixMs, 32)
  header.writeUInt32LE(crc32(body, crc32(header.subarray(4))), 0)
  return header
}

export interface RecordHeader {
  readonly crc: number
  readonly length: number
  readonly kind: JournalRecord['kind']
  readonly compression: Compression
  readonly durableBytes: number
  readonly position: number
  readonly clockMs: number
  readonly receivedUnixMs: number
}

/** What stands in the 40 bytes at `at`, or a sentence about why it cannot be a header. */
export function decodeHeader(bytes: Buffer, at: number): RecordHeader | string {
  if (bytes[at + 8] !== VERSION) return `version ${bytes[at + 8]} instead of ${VERSION}`
  const kind = bytes[at + 9]
  const coding = bytes[at + 10]
  const name = kind === undefined ? undefined : KIND_NAMES[kind]
  const compression = coding === undefined ? undefined : COMPRESSION_NAMES[coding]
  if (name === undefined) return `unknown kind ${kind}`
  if (compression === undefined) return `unknown compression ${coding}`
  return {
    crc: bytes.readUInt32LE(at),
    length: bytes.readUInt32LE(at + 4),
    kind: name,
    compression,
    durableBytes: bytes.readUInt32LE(at + 12),
    position: bytes.readDoubleLE(at + 16),
    clockMs: bytes.readDoubleLE(at + 24),
    receivedUnixMs: bytes.readDoubleLE(at + 32)
  }
}

export function checks(header: RecordHeader, headerBytes: Uint8Array, body: Uint8Array): boolean {
  return header.crc === crc32(body, crc32(headerBytes.subarray(4)))
}

/** The record owns `body`. */
export function toRecord(header: RecordHeader, body: Uint8Array): JournalRecord {
  const { kind, position, clockMs, receivedUnixMs, compression } = header
  return kind === 'tick'
    ? { kind, position, clockMs, receivedUnixMs }
    : { kind, position, clockMs, receivedUnixMs, compression, bytes: body }
}
