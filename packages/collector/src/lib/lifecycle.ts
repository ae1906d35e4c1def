/**
 * What has been started, and how each is stopped: from the last to the first, within a time. A
 * stop may come at any moment, also in the middle of a start: what is only then done starting is
 * stopped at once, and the start ends there.
 */
import type { Clock } from './clock.ts'
import { deadlineAfter, within } from './deadline.ts'

export interface LifecycleParts {
  readonly clock: Clock
  /** `finish` of each stop is aborted after the first, all of them are left after the second. */
  readonly finishMs: number
  readonly stopMs: number
  readonly onStopFailed: (error: unknown) => void
}

type Stop = (finish: AbortSignal) => Promise<unknown>

export class Lifecycle {
  readonly #parts: LifecycleParts
  readonly #stopping = new AbortController()
  readonly #stops: Stop[] = []
  #stopped: Promise<void> | undefined

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  /** Aborted when the stop begins. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** Waits until it is started, and remembers how to stop it. */
  async started<Result>(
    starting: Promise<Result>,
    stop: (result: Result, finish: AbortSignal) => Promise<unknown>
  ): Promise<Result> {
    const result = await starting
    this.#stops.push((finish) => stop(result, finish))
    if (!this.signal.aborted) return result
    await this.#stopAll()
    throw this.signal.reason
  }

  /** Resolves when all is stopped, or the time is up; more than one call is one stop. */
  stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  async #stopAll(): Promise<void> {
    const { clock, finishMs, stopMs, onStopFailed } = this.#parts
    const finish = deadlineAfter(clock, finishMs)
    const end = deadlineAfter(clock, stopMs)
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      await within(end.signal, stop(finish.signal)).catch(onStopFailed)
    }
    finish.cancel()
    end.cancel()
  }
}
