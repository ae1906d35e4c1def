/**
 * What the tracer itself costs, and what gives way when that is more than the budget.
 *
 * One in 61 of its calls on the main thread is timed and counted 61 times, and when that makes many of them
 * fewer are (`STRIDES`); the sending thread tells how much CPU it took. Where the runtime cannot tell a
 * thread's CPU (before Node 23.9) the wall clock serves, and a call counts for 0.2 ms at most: on a busy
 * machine most of a long one is the time of others. Every five seconds the two are set against the time that
 * has passed:
 *
 *   over the budget    one level up:    1  statement texts and stack traces are left out
 *                                       2  no spans of middleware and other inner steps
 *                                       3… half as many traces are begun, down to 1 in 64
 *   under half of it   one level down, after six intervals
 *
 * Metrics stay exact at every level: from level 3 on the process counts its spans itself. Each change is
 * said on stderr and in the metric `spanloom.tracer.shed_level`.
 */
/**
 * One in so many calls is timed: 61 until that makes `TIMED_MAX` of them in an interval, then 251, then 1,021,
 * because asking for the CPU time twice takes 3 µs. Primes, so that the calls of a request, which come in
 * turn, are all met.
 */
export const STRIDES = [61, 251, 1_021] as const
const TIMED_MAX = 512
const INTERVAL_MS = 5_000
const CALM_INTERVALS = 6
const HALVINGS_MAX = 6
const FIRST_SAMPLING_LEVEL = 3
export const SHED_LEVEL_MAX = FIRST_SAMPLING_LEVEL - 1 + HALVINGS_MAX

/** A call of the wall clock's that is longer was interrupted. */
const WALL_CALL_MAX_MS = 0.2

/** Milliseconds of CPU that the calling thread has had, or of the wall clock where that is not to be had. */
export const threadCpuMs: () => number =
  typeof process.threadCpuUsage === 'function'
    ? () => {
        const { user, system } = process.threadCpuUsage()
        return (user + system) / 1_000
      }
    : () => performance.now()

const CALL_MAX_MS =
  typeof process.threadCpuUsage === 'function' ? Number.POSITIVE_INFINITY : WALL_CALL_MAX_MS

export interface OverheadParts {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds for which the sending thread has been busy since it began. */
  readonly senderBusyMs: () => number
  /** Percent of one CPU. 0: no bound. */
  readonly maxPercent: number
  readonly onLevel: (level: number, percent: number) => void
}

export class Overhead {
  readonly #parts: OverheadParts
  /** Calls until the next that is timed. */
  #left: number = STRIDES[0]
  /** In this interval. */
  #timed = 0
  #stride: number = STRIDES[0]
  /** Calls that the one being timed stands for. */
  #weight = 0
  #mainMs = 0
  #senderMs = 0
  #sinceMs: number
  #calm = 0
  /** Of the last whole interval. */
  percent = 0
  level = 0

  constructor(parts: OverheadParts) {
    this.#parts = parts
    this.#sinceMs = parts.now()
  }

  /** @hot Whether this call is one of those that are timed. */
  get isTimed(): boolean {
    if (--this.#left > 0) return false
    this.#weight = this.#stride
    if (++this.#timed % TIMED_MAX === 0) {
      this.#stride = STRIDES[Math.min(this.#timed / TIMED_MAX, STRIDES.length - 1)]!
    }
    this.#left = this.#stride
    return true
  }

  time(call: () => void): void {
    const fromMs = threadCpuMs()
    call()
    this.took(threadCpuMs() - fromMs)
  }

  /** A timed call took so long. */
  took(ms: number): void {
    this.#mainMs += Math.min(ms, CALL_MAX_MS) * this.#weight
  }

  /** To be called now and then; acts once in five seconds. */
  tick(): void {
    const { now, senderBusyMs, maxPercent } = this.#parts
    const nowMs = now()
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs < INTERVAL_MS) return
    const senderMs = senderBusyMs()
    this.percent = ((this.#mainMs + senderMs - this.#senderMs) / elapsedMs) * 100
    this.#senderMs = senderMs
    this.#mainMs = 0
    this.#sinceMs = nowMs
    this.#timed = 0
    this.#stride = STRIDES[0]
    if (maxPercent > 0) this.#judge(maxPercent)
  }

  #judge(maxPercent: number): void {
    if (this.percent > maxPercent) {
      this.#calm = 0
      if (this.level < SHED_LEVEL_MAX) this.#to(this.level + 1)
    } else if (this.level > 0 && this.percent < maxPercent / 2) {
      if (++this.#calm >= CALM_INTERVALS) this.#to(this.level - 1)
    } else {
      this.#calm = 0
    }
  }

  #to(level: number): void {
    this.#calm = 0
    this.level = level
    this.#parts.onLevel(level, this.percent)
  }
}

/** The share of new traces that a level leaves. */
export function traceShareOf(level: number): number {
  return level < FIRST_SAMPLING_LEVEL ? 1 : 2 ** -(level - FIRST_SAMPLING_LEVEL + 1)
}

/** In words, for the notice. */
export function shedText(level: number): string {
  if (level === 0) return 'nothing is left out any more'
  if (level === 1) return 'statement texts and stack traces are left out'
  if (level === 2) return 'statement texts, stack traces and spans of inner steps are left out'
  return `statement texts, stack traces and spans of inner steps are left out, and 1 in ${1 / traceShareOf(level)} traces is kept`
}
