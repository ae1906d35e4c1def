/**
 * When the process could not work: its event loop was blocked, or the garbage collector stopped it. Kept as
 * two rings of recent intervals, so that a span can say which of them it sat through.
 *
 *   beat … beat … beat ─────── blocked ──────── beat      a beat that is late by 50 ms or more
 *
 * The beat is a timer of 50 ms that does not hold the process; it and the observer of the collector cost
 * about 0.02 % of a CPU in a busy app. A block whose beat is still due is seen too: the request that
 * caused it ends before any timer can fire.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { GC_PAUSE_MIN_MS, PAUSE_MIN_MS } from './pause-limits.ts'

const BEAT_MS = 50
/** Of each kind. A minute of one pause a second. */
const PAUSES_MAX = 64

/** Times in milliseconds of one clock, whichever the caller uses. */
export class PauseRing {
  readonly #starts = new Float64Array(PAUSES_MAX)
  readonly #ends = new Float64Array(PAUSES_MAX)
  #next = 0
  #newestEndMs = Number.NEGATIVE_INFINITY

  add(startMs: number, endMs: number): void {
    this.#starts[this.#next] = startMs
    this.#ends[this.#next] = endMs
    this.#next = (this.#next + 1) % PAUSES_MAX
    if (endMs > this.#newestEndMs) this.#newestEndMs = endMs
  }

  /** Milliseconds of the pauses that lie within the two times. */
  overlapMs(startMs: number, endMs: number): number {
    if (this.#newestEndMs <= startMs) return 0
    let sum = 0
    for (let index = 0; index < PAUSES_MAX; index++) {
      const from = Math.max(this.#starts[index]!, startMs)
      const to = Math.min(this.#ends[index]!, endMs)
      if (to > from) sum += to - from
    }
    return sum
  }
}

export interface PauseFacts {
  /** 0 when it was never blocked for long. */
  readonly blockedMs: number
  readonly gcPauseMs: number
}

const NONE: PauseFacts = { blockedMs: 0, gcPauseMs: 0 }

export class Pauses {
  readonly #blocks = new PauseRing()
  readonly #gc = new PauseRing()
  readonly #now: () => number
  #beatMs: number

  /** `now` is the monotonic clock. */
  constructor(now: () => number) {
    this.#now = now
    this.#beatMs = now()
  }

  /** To be called every 50 ms. Returns for how long the loop was blocked before, 0 when it was not. */
  beat(): number {
    const nowMs = this.#now()
    const dueMs = this.#beatMs + BEAT_MS
    this.#beatMs = nowMs
    if (nowMs - dueMs < PAUSE_MIN_MS) return 0
    this.#blocks.add(dueMs, nowMs)
    return nowMs - dueMs
  }

  collected(startMs: number, durationMs: number): void {
    if (durationMs >= GC_PAUSE_MIN_MS) this.#gc.add(startMs, startMs + durationMs)
  }

  /** @hot Once per ended server span. What a span of these monotonic times sat through. */
  within(startMs: number, endMs: number): PauseFacts {
    if (endMs - startMs < GC_PAUSE_MIN_MS) return NONE
    const dueMs = this.#beatMs + BEAT_MS
    const open = Math.min(endMs, this.#now()) - Math.max(dueMs, startMs)
    const blockedMs = this.#blocks.overlapMs(startMs, endMs) + (open >= PAUSE_MIN_MS ? open : 0)
    const gcPauseMs = this.#gc.overlapMs(startMs, endMs)
    return blockedMs === 0 && gcPauseMs === 0 ? NONE : { blockedMs, gcPauseMs }
  }
}

export interface GcEvent {
  readonly kind: string
  readonly durationMs: number
}

/** Starts the beat and the observer. `onBeat` is told each time; returns what ends both. */
export function watchPauses(
  pauses: Pauses,
  onBeat: () => void,
  onGc: (event: GcEvent) => void
): () => void {
  const timer = setInterval(() => {
    pauses.beat()
    onBeat()
  }, BEAT_MS)
  timer.unref()
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { startTime, duration } = entry
      const { detail } = entry as { detail?: { kind?: number } }
      pauses.collected(startTime, duration)
      const kind = GC_KINDS[detail?.kind ?? 0] ?? 'unknown'
      onGc({ kind, durationMs: duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    clearInterval(timer)
    observer.disconnect()
  }
}

/** `perf_hooks.constants.NODE_PERFORMANCE_GC_…` → the conventions' `v8js.gc.type`. */
const GC_KINDS: Readonly<Record<number, string>> = {
  1: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weakcb'
}
