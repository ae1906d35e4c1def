/**
 * Strings as small numbers. A string is looked up by its bytes in the payload, and becomes a
 * JavaScript string only when someone asks for its text.
 *
 *   slots   [ ][ ][id+1][ ][id+1][id+1][ ]     open addressing, found by hash & mask
 *   id  →   hashes[id], offsets[id], lengths[id] ─→ arena: all bytes, one after the other
 *
 * Bounded in count and in bytes. A string that finds no room gets OVERFLOW_STRING and is counted:
 * senders choose their strings, so the table is the first thing that high cardinality meets. A
 * string is found within PROBES_MAX slots or has no room, so that chosen collisions cost their
 * sender its names, and not the collector its time. The same strings in the same order give the
 * same ids.
 */

/** In a column: there is no string. */
export const NO_STRING = -1

/** The id of `OVERFLOW_TEXT`, which stands for every string that found no room. */
export const OVERFLOW_STRING = 0
export const OVERFLOW_TEXT = '__overflow__'

/** At half load a random string is 40 slots away at most, in a table of millions. */
export const PROBES_MAX = 128
const INITIAL_STRINGS = 1024
const INITIAL_ARENA_BYTES = 32_768

export interface StringTableLimits {
  /** How many strings, the overflow text included. */
  readonly stringsMax: number
  /** Bytes of all strings together, the overflow text included. */
  readonly bytesMax: number
  /** A longer string is cut, at a character's border. */
  readonly stringBytesMax: number
}

export class StringTable {
  readonly #stringsMax: number
  readonly #bytesMax: number
  readonly #stringBytesMax: number
  readonly #slots: Int32Array
  readonly #mask: number
  #hashes: Int32Array
  #offsets: Int32Array
  #lengths: Int32Array
  #arena: Buffer
  #arenaLength = 0
  #size = 0
  #overflowed = 0
  readonly #texts: Array<string | undefined> = []

  constructor({ stringsMax, bytesMax, stringBytesMax }: StringTableLimits) {
    if (!(stringsMax >= 1 && stringsMax <= 1 << 28)) throw new RangeError('stringsMax')
    if (!(bytesMax >= OVERFLOW_TEXT.length && bytesMax <= 0x7fff_ffff)) {
      throw new RangeError('bytesMax')
    }
    if (!(stringBytesMax >= OVERFLOW_TEXT.length)) throw new RangeError('stringBytesMax')
    this.#stringsMax = stringsMax
    this.#bytesMax = bytesMax
    this.#stringBytesMax = stringBytesMax
    const slotCount = 2 ** Math.ceil(Math.log2(stringsMax * 2))
    this.#slots = new Int32Array(slotCount)
    this.#mask = slotCount - 1
    const initial = Math.min(stringsMax, INITIAL_STRINGS)
    this.#hashes = new Int32Array(initial)
    this.#offsets = new Int32Array(initial)
    this.#lengths = new Int32Array(initial)
    this.#arena = Buffer.alloc(Math.min(bytesMax, INITIAL_ARENA_BYTES))
    this.internText(OVERFLOW_TEXT)
  }

  /** Ids are 0 … size - 1. */
  get size(): number {
    return this.#size
  }

  /** How often a string found no room, the same one each time anew. */
  get overflowed(): number {
    return this.#overflowed
  }

  get byteCount(): number {
    return this.#arenaLength
  }

  /** @hot The id of the string whose UTF-8 is at `offset`. Allocates only for a new string. */
  intern(bytes: Uint8Array, offset: number, length: number): number {
    const kept = length > this.#stringBytesMax ? this.#cut(bytes, offset) : length
    const hash = hashOf(bytes, offset, kept)
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash & mask
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const id = slots[slot]! - 1
      if (id < 0) return this.#add(slot, hash, bytes, offset, kept)
      if (this.#hashes[id] === hash && this.#is(id, bytes, offset, kept)) return id
      slot = (slot + 1) & mask
    }
    this.#overflowed++
    return OVERFLOW_STRING
  }

  internText(text: string): number {
    const bytes = Buffer.from(text)
    return this.intern(bytes, 0, bytes.length)
  }

  /** Invalid UTF-8 is read as U+FFFD. The text of NO_STRING is empty. */
  text(id: number): string {
    const cached = this.#texts[id]
    if (cached !== undefined) return cached
    if (id === NO_STRING) return ''
    if (!(id >= 0 && id < this.#size)) throw new RangeError(`There is no string ${id}.`)
    const offset = this.#offsets[id]!
    const text = this.#arena.toString('utf8', offset, offset + this.#lengths[id]!)
    this.#texts[id] = text
    return text
  }

  #is(id: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#lengths[id] !== length) return false
    const arena = this.#arena
    const own = this.#offsets[id]!
    for (let index = 0; index < length; index++) {
      if (arena[own + index] !== bytes[offset + index]) return false
    }
    return true
  }

  #add(slot: number, hash: number, bytes: Uint8Array, offset: number, length: number): number {
    if (this.#size >= this.#stringsMax || this.#arenaLength + length > this.#bytesMax) {
      this.#overflowed++
      return OVERFLOW_STRING
    }
    if (this.#size === this.#hashes.length) this.#growIndex()
    if (this.#arenaLength + length > this.#arena.length) this.#growArena(length)
    const id = this.#size++
    this.#arena.set(bytes.subarray(offset, offset + length), this.#arenaLength)
    this.#hashes[id] = hash
    this.#offsets[id] = this.#arenaLength
    this.#lengths[id] = length
    this.#arenaLength += length
    this.#slots[slot] = id + 1
    // Filled in order, so that the array never becomes a dictionary.
    this.#texts.push(undefined)
    return id
  }

  /** The longest length within the limit that does not cut a character in two. */
  #cut(bytes: Uint8Array, offset: number): number {
    let length = this.#stringBytesMax
    // A character has three continuation bytes at most; more is not UTF-8, and is cut anywhere.
    for (let back = 0; back < 4 && length > 0; back++) {
      if ((bytes[offset + length]! & 0xc0) !== 0x80) return length
      length--
    }
    return this.#stringBytesMax
  }

  #growIndex(): void {
    const count = Math.min(this.#hashes.length * 2, this.#stringsMax)
    this.#hashes = grown(this.#hashes, count)
    this.#offsets = grown(this.#offsets, count)
    this.#lengths = grown(this.#lengths, count)
  }

  #growArena(length: number): void {
    const doubled = Math.max(this.#arena.length * 2, this.#arenaLength + length)
    const arena = Buffer.alloc(Math.min(doubled, this.#bytesMax))
    arena.set(this.#arena)
    this.#arena = arena
  }
}

function grown(column: Int32Array, count: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(count)
  larger.set(column)
  return larger
}

/** @hot Four bytes a step, multiplied and folded; the last steps are murmur3's finish. Exported for tests. */
export function hashOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = Math.imul(length, 0x9e37_79b1)
  const end = offset + length
  let at = offset
  for (; at + 4 <= end; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    hash = Math.imul(hash ^ word, 0x85eb_ca6b)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2_ae35)
  return hash ^ (hash >>> 15)
}
