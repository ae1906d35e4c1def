/**
 * Finds rows of columns by a hash of their key. It knows rows and hashes, not keys: who asks walks
 * the candidates and compares. Open addressing with linear probing, at most half full; a removed
 * row's hole is closed by moving its followers back, so there are no tombstones.
 *
 *   for (let slot = index.first(hash); (row = index.rowAt(slot)) >= 0; slot = index.after(slot))
 *     if (key of row matches) …
 */
import { grown } from './grow.ts'

const INITIAL_ROWS = 64

export class RowIndex {
  #slots = new Int32Array(INITIAL_ROWS * 2)
  #mask = INITIAL_ROWS * 2 - 1
  #hashes = new Int32Array(INITIAL_ROWS)
  #count = 0

  /** @hot */
  first(hash: number): number {
    return hash & this.#mask
  }

  /** @hot The row in this slot, or -1: the search is over. */
  rowAt(slot: number): number {
    return this.#slots[slot]! - 1
  }

  after(slot: number): number {
    return (slot + 1) & this.#mask
  }

  /** @hot Cheaper than comparing keys, and nearly always enough to pass over a row. */
  hashIs(row: number, hash: number): boolean {
    return this.#hashes[row] === hash
  }

  /** @hot The row must not be in it. `hash` is a 32-bit integer, signed. */
  add(row: number, hash: number): void {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#grow()
    if (row >= this.#hashes.length) {
      this.#hashes = grown(this.#hashes, Math.max(this.#hashes.length * 2, row + 1))
    }
    this.#hashes[row] = hash
    this.#put(row, hash)
    this.#count++
  }

  remove(row: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = this.#hashes[row]! & mask
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashes[slots[slot]! - 1]! & mask
      // It may move back only as far as its home.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = slots[slot]!
      hole = slot
    }
    slots[hole] = 0
    this.#count--
  }

  clear(): void {
    if (this.#slots.length > INITIAL_ROWS * 8) {
      this.#slots = new Int32Array(INITIAL_ROWS * 2)
      this.#mask = INITIAL_ROWS * 2 - 1
      this.#hashes = new Int32Array(INITIAL_ROWS)
    } else {
      this.#slots.fill(0)
    }
    this.#count = 0
  }

  #put(row: number, hash: number): void {
    let slot = hash & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = row + 1
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    this.#mask = this.#slots.length - 1
    for (const entry of old) if (entry !== 0) this.#put(entry - 1, this.#hashes[entry - 1]!)
  }
}
