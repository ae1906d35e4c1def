import { setTimeout as wait } from 'node:timers/promises'

const LOOK_EVERY_MS = 50

/**
 * Asks until the answer is not undefined. An error counts as "not yet", and becomes the cause when
 * the deadline comes first.
 * @throws when `deadlineMs` have passed.
 */
export async function waitFor<Found>(
  what: string,
  deadlineMs: number,
  look: () => Promise<Found | undefined> | Found | undefined,
  lookEveryMs = LOOK_EVERY_MS
): Promise<Found> {
  const endMs = performance.now() + deadlineMs
  let cause: unknown
  while (performance.now() < endMs) {
    try {
      const found = await look()
      if (found !== undefined) return found
      cause = undefined
    } catch (error) {
      cause = error
    }
    await wait(lookEveryMs)
  }
  throw new Error(`Waited ${deadlineMs} ms in vain: ${what}.`, { cause })
}
