/**
 * Which deltas were taken: each payload of a stream has a number, 1, 2, 3 …, and is taken once.
 *
 *   stream ─→ the highest number taken, and of the 32 below it which ones
 *
 * A sender keeps the order, so a number below those was taken or given up long ago: a duplicate.
 *
 * Limits: STREAMS_MAX streams, 60 bytes each; the one that has been silent longest is forgotten first. A
 * delta of a forgotten stream that comes again would count again: its process would have to be one of
 * more than ten thousand that were heard since.
 */
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'

export const STREAMS_MAX = 10_000
const WINDOW = 32

interface Stream {
  high: number
  /** Bit b: high - 1 - b was taken. */
  below: number
}

export class DeltaStreams {
  /** The one that was heard last stands last. */
  readonly #streams = new Map<string, Stream>()

  /** Whether it is new; then it counts as taken. */
  take(name: string, sequence: number): boolean {
    const stream = this.#streams.get(name)
    if (stream === undefined) {
      if (this.#streams.size >= STREAMS_MAX) this.#forgetOldest()
      this.#streams.set(name, { high: sequence, below: 0 })
      return true
    }
    this.#streams.delete(name)
    this.#streams.set(name, stream)
    const ahead = sequence - stream.high
    if (ahead > 0) {
      // The old highest becomes one of those below.
      stream.below = ahead > WINDOW ? 0 : shifted(shifted(stream.below, 1) | 1, ahead - 1)
      stream.high = sequence
      return true
    }
    if (ahead === 0 || -ahead > WINDOW) return false
    const bit = 1 << (-ahead - 1)
    if ((stream.below & bit) !== 0) return false
    stream.below |= bit
    return true
  }

  write(writer: BinaryWriter): void {
    writer.count(this.#streams.size)
    for (const [name, { high, below }] of this.#streams) {
      writer.text(name)
      writer.count(high)
      writer.fixed32(below >>> 0)
    }
  }

  read(reader: BinaryReader): void {
    const count = reader.count()
    for (let index = 0; index < count; index++) {
      this.#streams.set(reader.text(), { high: reader.count(), below: reader.fixed32() | 0 })
    }
  }

  #forgetOldest(): void {
    for (const name of this.#streams.keys()) {
      this.#streams.delete(name)
      return
    }
  }
}

/** A shift by 32 is none in JavaScript. */
function shifted(bits: number, by: number): number {
  return by >= WINDOW ? 0 : bits << by
}
