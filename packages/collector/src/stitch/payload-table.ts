/**
 * Payloads that open spans point into, still compressed. A payload is let go of with its last open
 * span. Which rows are open is one bit each: that is all a checkpoint needs to find the open spans
 * again in the journal (64 bytes for a payload of 512 spans).
 *
 * A payload's rows share few resources and scopes: their ranges are kept once, as groups.
 *
 *   groups   [resource offset, length, scope offset, length] [ … ] …
 */
import type { Compression } from '../model/compression.ts'
import type { PayloadRecord } from '../model/journal-record.ts'

/** Numbers a group: resource offset and length, scope offset and length. */
export const GROUP_NUMBERS = 4

export interface HeldPayload {
  readonly position: number
  readonly compression: Compression
  readonly bytes: Uint8Array
  readonly groups: number[]
  /** Bit i of byte i >> 3: row i is an open span of this shard. */
  readonly openRows: Uint8Array
  openCount: number
  /** Its rows are still being added: held though none may be open at the moment. */
  pinned: boolean
}

export class PayloadTable {
  readonly #held: Array<HeldPayload | undefined> = []
  readonly #free: number[] = []
  #bytes = 0
  #count = 0

  /** Compressed bytes held. */
  get byteCount(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#count
  }

  /** Holds it, pinned until `unpin`. */
  hold(record: PayloadRecord, rowCount: number): number {
    const slot = this.#free.pop() ?? this.#held.length
    this.#held[slot] = {
      position: record.position,
      compression: record.compression,
      bytes: record.bytes,
      groups: [],
      openRows: new Uint8Array((rowCount + 7) >> 3),
      openCount: 0,
      pinned: true
    }
    this.#bytes += record.bytes.length
    this.#count++
    return slot
  }

  at(slot: number): HeldPayload {
    const held = this.#held[slot]
    if (held === undefined) throw new RangeError(`Payload slot ${slot} is empty.`)
    return held
  }

  open(slot: number, row: number): void {
    const held = this.at(slot)
    held.openRows[row >> 3]! |= 1 << (row & 7)
    held.openCount++
  }

  close(slot: number, row: number): void {
    const held = this.at(slot)
    held.openRows[row >> 3]! &= ~(1 << (row & 7))
    held.openCount--
  }

  unpin(slot: number): void {
    this.at(slot).pinned = false
    this.release(slot)
  }

  /** Lets go of the payload when no open span points into it. */
  release(slot: number): void {
    const held = this.#held[slot]
    if (held === undefined || held.openCount > 0 || held.pinned) return
    this.#held[slot] = undefined
    this.#free.push(slot)
    this.#bytes -= held.bytes.length
    this.#count--
  }

  /** All that are held, oldest first. */
  byPosition(): HeldPayload[] {
    return this.#held
      .filter((held) => held !== undefined)
      .sort((left, right) => left.position - right.position)
  }
}
