/**
 * How long it takes from a request's end to its count in the API. Single requests are sent at a
 * steady pace, while the API is asked over and over; request i is counted when the storefront's
 * calls have grown by i + 1. Nobody else may call the storefront meanwhile.
 */
import { setTimeout as wait } from 'node:timers/promises'

export interface FreshnessOptions {
  readonly requests: number
  readonly everyMs: number
  readonly send: () => Promise<void>
  /** The storefront's calls, as the API says them now. */
  readonly calls: () => Promise<number>
}

const ASK_EVERY_MS = 25
/** What is not counted by then is reported as infinitely late. */
const COUNTED_MS_MAX = 30_000

/** Milliseconds for each request, in their order. */
export async function measureFreshness(options: FreshnessOptions): Promise<readonly number[]> {
  const { requests, everyMs, send, calls } = options
  const base = await calls()
  const endedMs: number[] = []
  const countedMs: number[] = []

  const sendAll = async (): Promise<void> => {
    for (let index = 0; index < requests; index++) {
      await send()
      endedMs.push(performance.now())
      await wait(everyMs)
    }
  }
  const watch = async (): Promise<void> => {
    const deadlineMs = performance.now() + requests * everyMs + COUNTED_MS_MAX
    while (countedMs.length < requests && performance.now() < deadlineMs) {
      const counted = (await calls()) - base
      while (countedMs.length < Math.min(counted, requests)) countedMs.push(performance.now())
      await wait(ASK_EVERY_MS)
    }
  }
  await Promise.all([sendAll(), watch()])
  return endedMs.map((ended, index) => Math.max(0, (countedMs[index] ?? Infinity) - ended))
}

/** The smallest value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
