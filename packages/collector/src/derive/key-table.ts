/** Series by key: two names and a small number, in fixed places. Rows count from 0, without gaps. */
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { grown } from '../lib/grow.ts'
import { finishHash, mixWord } from '../lib/hash.ts'
import { RowIndex } from '../lib/row-index.ts'

const INITIAL_ROWS = 64

export class KeyTable {
  count = 0
  #first = new Int32Array(INITIAL_ROWS)
  #second = new Int32Array(INITIAL_ROWS)
  #third = new Int32Array(INITIAL_ROWS)
  #index = new RowIndex()

  first(row: number): number {
    return this.#first[row]!
  }

  second(row: number): number {
    return this.#second[row]!
  }

  third(row: number): number {
    return this.#third[row]!
  }

  /** @hot The row, or -1. */
  find(first: number, second: number, third: number): number {
    const index = this.#index
    const hash = hashOf(first, second, third)
    for (let slot = index.first(hash); ; slot = index.after(slot)) {
      const row = index.rowAt(slot)
      if (row < 0) return -1
      if (
        this.#second[row] === second &&
        this.#first[row] === first &&
        this.#third[row] === third
      ) {
        return row
      }
    }
  }

  /** The key must not be there yet. */
  add(first: number, second: number, third: number): number {
    const row = this.count++
    if (row === this.#first.length) {
      this.#first = grown(this.#first, row * 2)
      this.#second = grown(this.#second, row * 2)
      this.#third = grown(this.#third, row * 2)
    }
    this.#first[row] = first
    this.#second[row] = second
    this.#third[row] = third
    this.#index.add(row, hashOf(first, second, third))
    return row
  }

  /** A name below 0 is none. */
  markNames(marks: Uint8Array): void {
    for (let row = 0; row < this.count; row++) {
      if (this.#first[row]! >= 0) marks[this.#first[row]!] = 1
      if (this.#second[row]! >= 0) marks[this.#second[row]!] = 1
    }
  }

  moveNames(moved: Int32Array): void {
    for (let row = 0; row < this.count; row++) {
      if (this.#first[row]! >= 0) this.#first[row] = moved[this.#first[row]!]!
      if (this.#second[row]! >= 0) this.#second[row] = moved[this.#second[row]!]!
    }
    this.#reindex()
  }

  write(writer: BinaryWriter): void {
    writer.column(this.#first, this.count)
    writer.column(this.#second, this.count)
    writer.column(this.#third, this.count)
  }

  read(reader: BinaryReader): void {
    const first = reader.integers()
    this.count = first.length
    const length = Math.max(INITIAL_ROWS, this.count)
    this.#first = grown(first, length)
    this.#second = grown(reader.integers(), length)
    this.#third = grown(reader.integers(), length)
    this.#reindex()
  }

  #reindex(): void {
    this.#index = new RowIndex()
    for (let row = 0; row < this.count; row++) {
      this.#index.add(row, hashOf(this.#first[row]!, this.#second[row]!, this.#third[row]!))
    }
  }
}

function hashOf(first: number, second: number, third: number): number {
  return finishHash(mixWord(mixWord(mixWord(0, first), second), third))
}
