import type { Clock } from './clock.ts'

export interface Deadline {
  readonly signal: AbortSignal
  /** Calls it off. */
  cancel(): void
}

export function deadlineAfter(clock: Clock, delayMs: number): Deadline {
  const controller = new AbortController()
  return { signal: controller.signal, cancel: clock.after(delayMs, () => controller.abort()) }
}

/** Resolves when the work is done or at the signal, whichever comes first. */
export async function within(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  ])
}
