/**
 * Checkpoints on disk: `checkpoints/shard-0-0000000000000042.checkpoint` is shard 0 at position 42.
 *
 *   byte 0  magic       "SPLC"
 *        4  crc         u32, little-endian: CRC-32 of everything after it
 *        8  version     u32: 1
 *       12  factsLength u32
 *       16  facts       JSON: see `CheckpointFacts`
 *        …  state       the rest; opaque
 *
 * A file is written under another name, synced, then renamed: a name with `.checkpoint` is whole.
 * The one before is kept, and the journal that it needs too, so that one bad sector is no loss.
 */
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CollectorError } from '../errors.ts'
import type { ShardCheckpoint } from '../model/checkpoint.ts'

const MAGIC = 0x434c_5053
const VERSION = 1
const HEAD_BYTES = 16
const KEPT = 2

export interface CheckpointFacts {
  readonly journalId: string
  readonly shardCount: number
  /** Payload records up to the position, and payloads refused, since the journal was made. */
  readonly payloadsAccepted: number
  readonly payloadsRejected: number
}

export interface StoredCheckpoint {
  readonly checkpoint: ShardCheckpoint
  readonly facts: CheckpointFacts
}

export interface Checkpoints {
  /** The newest that is whole; `undefined` when there is none at all. */
  load(shard: number): Promise<StoredCheckpoint | undefined>
  /**
   * Resolves, once it is durable, with the oldest `replayFrom` of those that are kept. `alone`: a
   * start from an earlier one would not repeat what came after this one, so none is kept.
   */
  save(stored: StoredCheckpoint, alone: boolean): Promise<number>
}

export interface CheckpointProblems {
  /** It is left out, for the one before. */
  damaged(file: string, reason: string): void
}

export function createCheckpoints(directory: string, problems: CheckpointProblems): Checkpoints {
  /** What is on disk, by shard, oldest first. */
  const kept = new Map<number, { file: string; replayFrom: number }[]>()

  return { load, save }

  async function load(shard: number): Promise<StoredCheckpoint | undefined> {
    await mkdir(directory, { recursive: true })
    const files = (await readdir(directory)).filter((file) => shardOf(file) === shard).sort()
    for (const file of await readdir(directory)) {
      // The process died while it wrote this one.
      if (file.endsWith('.new')) await unlink(join(directory, file))
    }
    const whole: StoredCheckpoint[] = []
    let reason = ''
    for (const file of files) {
      const decoded = decodeCheckpoint(await readFile(join(directory, file)))
      if (typeof decoded !== 'string') {
        whole.push(decoded)
        remember(shard, file, decoded.checkpoint.replayFrom)
      } else {
        reason = decoded
        problems.damaged(file, reason)
      }
    }
    const newest = files.at(-1)
    if (whole.length === 0 && newest !== undefined) {
      throw new CollectorError('PIPELINE_CHECKPOINT_DAMAGED', [newest, reason])
    }
    return whole.at(-1)
  }

  async function save(stored: StoredCheckpoint, alone: boolean): Promise<number> {
    const { shard, position, replayFrom } = stored.checkpoint
    const file = `shard-${shard}-${String(position).padStart(16, '0')}.checkpoint`
    await writeWhole(directory, file, encodeCheckpoint(stored))
    const files = remember(shard, file, replayFrom)
    while (files.length > (alone ? 1 : KEPT)) await unlink(join(directory, files.shift()!.file))
    return Math.min(...files.map((one) => one.replayFrom))
  }

  function remember(shard: number, file: string, replayFrom: number) {
    const files = (kept.get(shard) ?? []).filter((one) => one.file !== file)
    files.push({ file, replayFrom })
    kept.set(shard, files)
    return files
  }
}

function shardOf(file: string): number | undefined {
  const match = /^shard-(\d+)-\d{16}\.checkpoint$/.exec(file)
  return match === null ? undefined : Number(match[1])
}

async function writeWhole(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(directory, `${name}.new`)
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(directory, name))
  if (process.platform === 'win32') return
  const parent = await open(directory, 'r')
  await parent.sync().finally(() => parent.close())
}

export function encodeCheckpoint({ checkpoint, facts }: StoredCheckpoint): Uint8Array {
  const { state, ...head } = checkpoint
  const text = Buffer.from(JSON.stringify({ ...head, ...facts }))
  const bytes = Buffer.alloc(HEAD_BYTES + text.length + state.length)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(VERSION, 8)
  bytes.writeUInt32LE(text.length, 12)
  bytes.set(text, HEAD_BYTES)
  bytes.set(state, HEAD_BYTES + text.length)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** The checkpoint, or a sentence about what is wrong with it. */
export function decodeCheckpoint(bytes: Buffer): StoredCheckpoint | string {
  if (bytes.length < HEAD_BYTES) return `it has only ${bytes.length} bytes`
  if (bytes.readUInt32LE(0) !== MAGIC) return 'it is not a checkpoint'
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))) return 'its checksum differs'
  const version = bytes.readUInt32LE(8)
  if (version !== VERSION) return `it has version ${version}, this collector reads ${VERSION}`
  const stateAt = HEAD_BYTES + bytes.readUInt32LE(12)
  const head = JSON.parse(bytes.toString('utf8', HEAD_BYTES, stateAt))
  const { shard, position, replayFrom, ...facts } = head
  // Memory of its own: it is transferred to the shard's thread.
  const state = new Uint8Array(bytes.subarray(stateAt))
  return { checkpoint: { shard, position, replayFrom, state }, facts }
}
