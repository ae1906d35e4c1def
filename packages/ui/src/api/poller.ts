/**
 * Asks one question again and again. Between a success and the next ask lie `refreshMs` while live;
 * after a failure the pause doubles up to `RETRY_MS_MAX`, live or not, so that a page recovers by
 * itself when the collector comes back. While the page is hidden nothing is asked; when it is shown
 * again the ask that fell due happens at once. A newer ask aborts the one under way. Time comes in
 * from outside, so tests need no waiting.
 */
export const REFRESH_MS = 2_000
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 10_000
/** Longer than the collector lets a query run, so that its own words arrive first. */
const ANSWER_MS_MAX = 20_000

export interface PollerHost<Value> {
  ask(signal: AbortSignal): Promise<Value>
  onValue(value: Value): void
  onFailure(error: unknown): void
  /** Whether asking the same again may help: no for a question that is wrong in itself. */
  isWorthRetrying(error: unknown): boolean
  isLive(): boolean
  isHidden(): boolean
  /** Calls back after so many milliseconds; returns how to call it off. */
  later(callback: () => void, delayMs: number): () => void
}

export interface Poller {
  /** Asks now, whatever is scheduled. */
  askNow(): void
  /** The page is shown, or live was switched on: catches up on what fell due. */
  wake(): void
  stop(): void
}

export function startPoller<Value>(host: PollerHost<Value>): Poller {
  let stopped = false
  let isDue = false
  let failures = 0
  let underWay: AbortController | undefined
  let callOff: (() => void) | undefined

  function schedule(delayMs: number): void {
    callOff?.()
    callOff = host.later(() => {
      callOff = undefined
      if (host.isHidden()) isDue = true
      else askNow()
    }, delayMs)
  }

  function askNow(): void {
    if (stopped) return
    callOff?.()
    callOff = undefined
    isDue = false
    underWay?.abort()
    const controller = new AbortController()
    underWay = controller
    const callOffTimeout = host.later(() => {
      controller.abort(new Error(`No answer within ${ANSWER_MS_MAX / 1000} seconds.`))
    }, ANSWER_MS_MAX)
    host.ask(controller.signal).then(
      (value) => {
        callOffTimeout()
        if (stopped || underWay !== controller) return
        underWay = undefined
        failures = 0
        host.onValue(value)
        if (host.isLive()) schedule(REFRESH_MS)
      },
      (error: unknown) => {
        callOffTimeout()
        if (stopped || underWay !== controller) return
        underWay = undefined
        host.onFailure(error)
        if (!host.isWorthRetrying(error)) {
          if (host.isLive()) schedule(REFRESH_MS)
          return
        }
        schedule(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures))
        failures = Math.min(failures + 1, 10)
      }
    )
  }

  askNow()
  return {
    askNow,
    wake() {
      if (stopped || host.isHidden()) return
      const isIdle = callOff === undefined && underWay === undefined
      if (isDue || (isIdle && host.isLive())) askNow()
    },
    stop() {
      stopped = true
      callOff?.()
      underWay?.abort()
    }
  }
}
