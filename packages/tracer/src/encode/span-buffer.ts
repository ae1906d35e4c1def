/**
 * Between the spans that end and the sender: encodes each at once and hands the bytes over when there
 * are 496 KB of them, or half a second after the first, whichever is sooner: so a metric made of them is
 * fresh, and no object waits for a timer.
 */
import type { Clock } from '../lib/clock.ts'
import type { Notify } from '../notices.ts'
import type { Resource } from '../resource/resource.ts'
import type { FlatAttributes } from '../trace/attributes.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { SpanEncoder } from './span-encoder.ts'

/**
 * Just below a power of two, so that the buffer, which grows by doubling, has room for the last span. What a
 * batch costs beside its bytes, some 600 µs for its request and the thread's waking, was 1 µs a span with 256 KB.
 */
const FLUSH_BYTES = 496 * 1024
const FLUSH_AFTER_MS = 500

export type HandOver = (bytes: Uint8Array<ArrayBuffer>, spanCount: number) => void

export class SpanBuffer {
  readonly #clock: Clock
  readonly #encoder: SpanEncoder
  readonly #handOver: HandOver
  readonly #notify: Notify
  readonly #flushAfterMs: number
  #timer: NodeJS.Timeout | undefined = undefined
  /** Adds what was held back. Never throws. */
  beforeFlush: (() => void) | undefined = undefined
  #isFilling = false
  /** Spans that OTLP could not carry. */
  dropped = 0

  constructor(
    resource: Resource,
    clock: Clock,
    notify: Notify,
    handOver: HandOver,
    flushAfterMs = FLUSH_AFTER_MS
  ) {
    this.#flushAfterMs = flushAfterMs
    this.#encoder = new SpanEncoder(resource)
    this.#clock = clock
    this.#notify = notify
    this.#handOver = handOver
  }

  /** @hot Once per ended span. Never throws. */
  add(span: RecordingSpan): void {
    try {
      this.#encoder.add(span)
    } catch (fault) {
      if (this.dropped++ === 0) this.#notify('ENCODE_FAILED', String(fault))
      return
    }
    if (this.#encoder.byteCount >= FLUSH_BYTES) this.flush()
    else if (this.#timer === undefined) this.#arm()
  }

  /** Calls that leave as one span; see collapser.ts. Never throws. */
  addGroup(first: RecordingSpan, startMs: number, endMs: number, extra: FlatAttributes): void {
    try {
      this.#encoder.addGroup(first, startMs, endMs, extra)
    } catch (fault) {
      if (this.dropped++ === 0) this.#notify('ENCODE_FAILED', String(fault))
    }
  }

  /** Something is held back that wants to be in the next batch. */
  arm(): void {
    if (this.#timer === undefined) this.#arm()
  }

  /**
   * Spans that are added from now on were counted in this process, and say so on their resource; those
   * before, held back or not, leave as they are: the spans of a payload are of one mind about it.
   */
  countedFromNow(): void {
    this.flush()
    this.#encoder.counted = true
  }

  /** Takes back the memory of what was handed over. */
  recycle(memory: ArrayBuffer): void {
    this.#encoder.recycle(memory)
  }

  flush(): void {
    // What is added now may fill the buffer, which must not begin a flush within this one.
    if (this.#isFilling) return
    this.#isFilling = true
    this.beforeFlush?.()
    this.#isFilling = false
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    const spanCount = this.#encoder.spanCount
    const bytes = this.#encoder.take()
    if (bytes !== undefined) this.#handOver(bytes, spanCount)
  }

  #arm(): void {
    this.#clock.anchor()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, this.#flushAfterMs)
    this.#timer.unref()
  }
}
