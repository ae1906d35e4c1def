/**
 * Exemplars: for each series and duration bucket one span of a kept trace, of the newest tick
 * that has one. They are chosen when a trace is kept, wait until the store has it, and only then are shown, so that every
 * exemplar can be opened.
 *
 *   offer ─→ candidates of this tick ─ seal(position) ─→ waiting ─ stored(position) ─→ shown
 *
 * One slot per (series, bucket): 20,000 series with 21 buckets are 420,000 at the very most;
 * series use four buckets or five as a rule.
 */
import { DURATION_BUCKET_COUNT } from '@spanloom/otlp'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import type { Exemplar } from '../model/metrics-snapshot.ts'

interface Candidate {
  readonly traceId: string
  readonly spanId: string
  readonly valueMs: number
  readonly unixMs: number
}

interface Sealed {
  readonly position: number
  readonly candidates: ReadonlyMap<number, Candidate>
}

export class Exemplars {
  readonly #shown = new Map<number, Candidate>()
  #candidates = new Map<number, Candidate>()
  #waiting: Sealed[] = []

  /** @hot Whether this tick has none yet. */
  wants(series: number, bucket: number): boolean {
    return !this.#candidates.has(series * DURATION_BUCKET_COUNT + bucket)
  }

  offer(series: number, bucket: number, candidate: Candidate): void {
    this.#candidates.set(series * DURATION_BUCKET_COUNT + bucket, candidate)
  }

  /** The tick at `position` has put the candidates' traces into its batches. */
  seal(position: number): void {
    if (this.#candidates.size === 0) return
    this.#waiting.push({ position, candidates: this.#candidates })
    this.#candidates = new Map()
  }

  /** All batches up to `position` are stored. */
  stored(position: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.position <= position) {
      for (const [key, candidate] of this.#waiting.shift()!.candidates) {
        this.#shown.set(key, candidate)
      }
    }
  }

  /** Those not older than `oldestUnixMs`, by series and bucket; older ones are let go of. */
  list(oldestUnixMs: number): Exemplar[] {
    const keys = [...this.#shown.keys()].sort((left, right) => left - right)
    const listed: Exemplar[] = []
    for (const key of keys) {
      const candidate = this.#shown.get(key)!
      if (candidate.unixMs < oldestUnixMs) {
        this.#shown.delete(key)
        continue
      }
      const bucket = key % DURATION_BUCKET_COUNT
      listed.push({ series: (key - bucket) / DURATION_BUCKET_COUNT, bucket, ...candidate })
    }
    return listed
  }

  /**
   * Those that are shown, and those that wait for batches up to the checkpoint's position: a
   * checkpoint is only used when all of these are stored.
   */
  write(writer: BinaryWriter): void {
    const all = new Map(this.#shown)
    for (const sealed of this.#waiting) {
      for (const [key, candidate] of sealed.candidates) all.set(key, candidate)
    }
    writer.count(all.size)
    for (const [key, { traceId, spanId, valueMs, unixMs }] of all) {
      writer.count(key)
      writer.text(traceId)
      writer.text(spanId)
      writer.float(valueMs)
      writer.float(unixMs)
    }
  }

  read(reader: BinaryReader): void {
    const count = reader.count()
    for (let index = 0; index < count; index++) {
      this.#shown.set(reader.count(), {
        traceId: reader.text(),
        spanId: reader.text(),
        valueMs: reader.float(),
        unixMs: reader.float()
      })
    }
  }
}
