/**
 * The spans that are open, in memory that the sending thread can read, so that one that hangs is seen
 * while it hangs, also when the event loop is blocked and nothing of this thread runs.
 *
 *   slot (12 words)   used · name · kind · trace0…3 · span0…1 · parent? · start (two words, a double)
 *   head (8 words)    beat (a double): when the main thread's event loop last turned
 *
 * Server, client, producer and consumer spans and local roots have a slot each. The writer never waits: a
 * slot is written before it is marked as used, and the reader only believes slots that have not changed for
 * seconds. When all are taken, further spans are not watched, and counted.
 */
import type { RecordingSpan } from '../trace/span.ts'

const HEAD_WORDS = 8
const SLOT_WORDS = 12
/** 48 KB. A process with a thousand requests open at once is seen by its thousand oldest. */
const SLOTS = 1_024
/** Further names are reported without one. */
const NAMES_MAX = 1_000
const NAME_CHARS_MAX = 256

export type SayName = (index: number, name: string) => void

export class OpenSpans {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #free: Uint16Array
  readonly #names = new Map<string, number>()
  readonly #sayName: SayName
  #freeCount = SLOTS
  #lastName = ''
  #lastIndex = 0
  /** Spans that found no slot. */
  unwatched = 0

  /** `sayName` is told each name once, before the first span that has it. */
  constructor(sayName: SayName) {
    this.shared = new SharedArrayBuffer((HEAD_WORDS + SLOTS * SLOT_WORDS) * 4)
    this.#words = new Int32Array(this.shared)
    this.#doubles = new Float64Array(this.shared)
    this.#free = Uint16Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index)
    this.#sayName = sayName
  }

  /** The event loop turns. Epoch milliseconds. */
  beat(nowMs: number): void {
    this.#doubles[0] = nowMs
  }

  /** @hot Returns the span's slot, or -1. */
  open(span: RecordingSpan): number {
    if (this.#freeCount === 0) {
      this.unwatched++
      return -1
    }
    const slot = this.#free[--this.#freeCount]!
    const at = HEAD_WORDS + slot * SLOT_WORDS
    const words = this.#words
    words[at + 1] = this.#nameIndex(span.name)
    words[at + 2] = span.kind
    words[at + 3] = span.trace0
    words[at + 4] = span.trace1
    words[at + 5] = span.trace2
    words[at + 6] = span.trace3
    words[at + 7] = span.span0
    words[at + 8] = span.span1
    this.#doubles[(at + 10) >> 1] = span.startMs
    words[at] = 1
    return slot
  }

  /** @hot */
  close(slot: number): void {
    this.#words[HEAD_WORDS + slot * SLOT_WORDS] = 0
    this.#free[this.#freeCount++] = slot
  }

  #nameIndex(name: string): number {
    if (name === this.#lastName) return this.#lastIndex
    const known = this.#names.get(name)
    if (known !== undefined) {
      this.#lastName = name
      this.#lastIndex = known
      return known
    }
    if (this.#names.size >= NAMES_MAX) return 0
    const index = this.#names.size + 1
    this.#names.set(name, index)
    this.#sayName(index, name.slice(0, NAME_CHARS_MAX))
    return index
  }
}

export interface OpenSpan {
  readonly traceId: readonly [number, number, number, number]
  readonly spanId: readonly [number, number]
  readonly kind: number
  readonly name: string
  readonly startMs: number
}

/** The reader's side, on the sending thread. */
export class OpenSpansReader {
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #names = new Map<number, string>()

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
    this.#doubles = new Float64Array(shared)
  }

  name(index: number, text: string): void {
    this.#names.set(index, text)
  }

  /** When the event loop last turned, epoch milliseconds; 0 before its first. */
  get beatMs(): number {
    return this.#doubles[0]!
  }

  /** Spans that are open and began between the two times, the first inclusive. */
  startedBetween(fromMs: number, beforeMs: number): OpenSpan[] {
    const found: OpenSpan[] = []
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = HEAD_WORDS + slot * SLOT_WORDS
      const startMs = this.#doubles[(at + 10) >> 1]!
      if (this.#words[at] !== 1 || startMs < fromMs || startMs >= beforeMs) continue
      const span = this.#read(at, startMs)
      // Reused while it was read: the slot is of a younger span now.
      if (this.#words[at] === 1 && this.#doubles[(at + 10) >> 1] === startMs) found.push(span)
    }
    return found
  }

  #read(at: number, startMs: number): OpenSpan {
    const words = this.#words
    return {
      traceId: [words[at + 3]!, words[at + 4]!, words[at + 5]!, words[at + 6]!],
      spanId: [words[at + 7]!, words[at + 8]!],
      kind: words[at + 2]!,
      name: this.#names.get(words[at + 1]!) ?? '',
      startMs
    }
  }
}
