/**
 * A checkpoint's state as bytes.
 *
 *   magic 'SPSH', version    4 + 4 bytes
 *   options in force         JSON
 *   what was counted         see ShardTotals
 *   the stages               each writes its own, in the order of stages.ts
 *   open spans               see replay.ts
 *   CRC-32 of all before     4 bytes
 */
import { crc32 } from 'node:zlib'
import { CollectorError } from '../errors.ts'
import { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import type { PolicyConfig } from '../sample/policies.ts'
import type { ShardOptions } from './options.ts'
import { Replay } from './replay.ts'
import { Stages } from './stages.ts'

const MAGIC = 0x5350_5348
/** Raise it with every change of what any stage writes. */
const VERSION = 2
/** Before metrics of counted spans were taken. */
const VERSION_WITHOUT_DELTAS = 1
const HEAD_BYTES = 8
const CRC_BYTES = 4

/** What the shard counts itself; all of it is part of the state. */
export interface ShardTotals {
  position: number
  clockMs: number
  receivedUnixMs: number
  createdUnixMs: number
  spansAccepted: number
  spansDuplicate: number
  spansLate: number
  callsPrecounted: number
  deltasDuplicate: number
  spansDropped: number
  payloadsDropped: number
  tracesCompleted: number
  tracesDecidedEarly: number
  edgesExpired: number
}

export function newTotals(): ShardTotals {
  return {
    position: -1,
    clockMs: 0,
    receivedUnixMs: 0,
    createdUnixMs: 0,
    spansAccepted: 0,
    spansDuplicate: 0,
    spansLate: 0,
    callsPrecounted: 0,
    deltasDuplicate: 0,
    spansDropped: 0,
    payloadsDropped: 0,
    tracesCompleted: 0,
    tracesDecidedEarly: 0,
    edgesExpired: 0
  }
}

export function writeState(options: ShardOptions, totals: ShardTotals, stages: Stages): Uint8Array {
  const writer = new BinaryWriter()
  writer.fixed32(MAGIC)
  writer.fixed32(VERSION)
  writer.text(JSON.stringify(options))
  writer.text(JSON.stringify(totals))
  stages.write(writer)
  writer.fixed32(crc32(writer.written()))
  return writer.finish()
}

export interface RestoredState {
  readonly options: ShardOptions
  readonly totals: ShardTotals
  readonly stages: Stages
  readonly replay: Replay
}

/** @throws CollectorError PIPELINE_STATE_DAMAGED, PIPELINE_STATE_VERSION */
export function readState(state: Uint8Array, policies: readonly PolicyConfig[]): RestoredState {
  if (state.length < HEAD_BYTES + CRC_BYTES) throw new CollectorError('PIPELINE_STATE_DAMAGED', [])
  const view = new DataView(state.buffer, state.byteOffset, state.length)
  const end = state.length - CRC_BYTES
  const crc = crc32(state.subarray(0, end))
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(end, true) !== crc) {
    throw new CollectorError('PIPELINE_STATE_DAMAGED', [])
  }
  const version = view.getUint32(4, true)
  if (version !== VERSION && version !== VERSION_WITHOUT_DELTAS) {
    throw new CollectorError('PIPELINE_STATE_VERSION', [version, VERSION])
  }
  const reader = new BinaryReader(state.subarray(HEAD_BYTES, end))
  const options = JSON.parse(reader.text()) as ShardOptions
  const totals = { ...newTotals(), ...(JSON.parse(reader.text()) as Partial<ShardTotals>) }
  const stages = new Stages(options, policies)
  stages.read(reader, version !== VERSION_WITHOUT_DELTAS)
  const replay = new Replay(reader)
  return { options, totals, stages, replay }
}
