/**
 * Which spans of which records were open at a checkpoint: one bit a row. With it a replay puts
 * exactly those back, whatever the decided memory has forgotten since.
 */
import type { BinaryReader } from '../lib/binary.ts'
import { NOT_LATE } from '../stitch/trace-table.ts'

const NO_ROWS = new Uint8Array(0)

export class Replay {
  /** By position of the record. */
  readonly #openRows = new Map<number, Uint8Array>()
  /** Open late entries by trace id, and the decision that each follows. */
  readonly #late = new Map<string, number>()
  /** Oldest record with an open span, or undefined. */
  readonly from: number | undefined

  /** Reads what `Stitcher.write` wrote about open traces. */
  constructor(reader: BinaryReader) {
    const payloads = reader.count()
    for (let index = 0; index < payloads; index++) {
      const position = reader.count()
      this.#openRows.set(position, reader.blob())
    }
    const late = reader.count()
    for (let index = 0; index < late; index++) {
      this.#late.set(reader.words().join(), reader.count())
    }
    this.from = this.#openRows.keys().next().value
  }

  /** Records that are still to come. */
  get missing(): number {
    return this.#openRows.size
  }

  /** The rows of this record that were open, as bits; none when it was let go of. Asked once. */
  takeRows(position: number): Uint8Array {
    const rows = this.#openRows.get(position) ?? NO_ROWS
    this.#openRows.delete(position)
    return rows
  }

  decisionOf(traceIds: Uint32Array, row: number): number {
    if (this.#late.size === 0) return NOT_LATE
    return this.#late.get(traceIds.subarray(row * 4, row * 4 + 4).join()) ?? NOT_LATE
  }
}

export function isOpen(rows: Uint8Array, row: number): boolean {
  return ((rows[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
}
