/**
 * What was decided, remembered as 64-bit fingerprints with a small tag each: the spans that were
 * counted (so that a duplicate is known) and the traces (so that late spans follow the decision).
 *
 *   log     [hi lo tag][hi lo tag][hi lo tag] …          in the order they came
 *   slots   [ ][entry+1][ ][ ][entry+1] …               open addressing, at most half full
 *
 * Two generations: when the current one is full it becomes the previous one, and what was the
 * previous one is forgotten. So at least one generation's worth is remembered, at most two, and
 * nothing is ever moved. Both start small and grow by doubling: 16 or 17 bytes a fingerprint.
 *
 * At 4 million fingerprints a new span is taken for an old one once in 10^12 spans.
 *
 * A log only ever grows at its end, so that a later version of the checkpoint may write only what
 * is new. This one writes both logs whole, and readers build the slots anew.
 */
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { grown, powerOfTwo } from '../lib/grow.ts'

const INITIAL_ENTRIES = 256

export const NOT_REMEMBERED = -1

export class FingerprintMemory {
  #current = new Generation(INITIAL_ENTRIES)
  #previous = new Generation(INITIAL_ENTRIES)

  get size(): number {
    return this.#current.count + this.#previous.count
  }

  /** @hot The tag it was remembered with, or NOT_REMEMBERED. The newer one when there are two. */
  tagOf(high: number, low: number): number {
    const tag = this.#current.tagOf(high, low)
    return tag !== NOT_REMEMBERED ? tag : this.#previous.tagOf(high, low)
  }

  /** @hot Remembers it; forgets the older generation when `generationMax` are reached. */
  add(high: number, low: number, tag: number, generationMax: number): void {
    if (this.#current.count >= generationMax) {
      this.#previous = this.#current
      this.#current = new Generation(INITIAL_ENTRIES)
    }
    this.#current.add(high, low, tag)
  }

  write(writer: BinaryWriter): void {
    this.#previous.write(writer)
    this.#current.write(writer)
  }

  read(reader: BinaryReader): void {
    this.#previous = Generation.read(reader)
    this.#current = Generation.read(reader)
  }
}

class Generation {
  count = 0
  #high: Uint32Array
  #low: Uint32Array
  #tags: Uint8Array
  #slots: Int32Array
  #mask: number

  constructor(capacity: number) {
    this.#high = new Uint32Array(capacity)
    this.#low = new Uint32Array(capacity)
    this.#tags = new Uint8Array(capacity)
    this.#slots = new Int32Array(capacity * 2)
    this.#mask = capacity * 2 - 1
  }

  tagOf(high: number, low: number): number {
    const entry = this.#slots[this.#slotOf(high, low)]! - 1
    return entry < 0 ? NOT_REMEMBERED : this.#tags[entry]!
  }

  add(high: number, low: number, tag: number): void {
    let slot = this.#slotOf(high, low)
    const known = this.#slots[slot]! - 1
    if (known >= 0) {
      this.#tags[known] = tag
      return
    }
    if (this.count === this.#high.length) {
      this.#grow()
      slot = this.#slotOf(high, low)
    }
    const entry = this.count++
    this.#high[entry] = high
    this.#low[entry] = low
    this.#tags[entry] = tag
    this.#slots[slot] = entry + 1
  }

  /** The slot that holds it, or the empty one where it belongs. */
  #slotOf(high: number, low: number): number {
    const mask = this.#mask
    // Fingerprints are hashes already.
    let slot = low & mask
    for (;;) {
      const entry = this.#slots[slot]! - 1
      if (entry < 0) return slot
      if (this.#low[entry] === low >>> 0 && this.#high[entry] === high >>> 0) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const capacity = this.#high.length * 2
    this.#high = grown(this.#high, capacity)
    this.#low = grown(this.#low, capacity)
    this.#tags = grown(this.#tags, capacity)
    this.#slots = new Int32Array(capacity * 2)
    this.#mask = capacity * 2 - 1
    for (let entry = 0; entry < this.count; entry++) {
      this.#slots[this.#slotOf(this.#high[entry]!, this.#low[entry]!)] = entry + 1
    }
  }

  write(writer: BinaryWriter): void {
    writer.column(this.#high, this.count)
    writer.column(this.#low, this.count)
    writer.column(this.#tags, this.count)
  }

  static read(reader: BinaryReader): Generation {
    const high = reader.words()
    const low = reader.words()
    const tags = reader.blob()
    const generation = new Generation(powerOfTwo(Math.max(high.length, INITIAL_ENTRIES)))
    for (let entry = 0; entry < high.length; entry++) {
      generation.add(high[entry]!, low[entry]!, tags[entry]!)
    }
    return generation
  }
}
