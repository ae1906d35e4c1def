/** What a payload holds; each signal has an address of its own. */
export const SIGNALS = ['traces', 'metrics', 'logs'] as const
export type Signal = (typeof SIGNALS)[number]

/** The port through which encoded telemetry leaves. Adapters: a worker thread, or the main thread. */
export interface Sender {
  /**
   * Takes the bytes over; the caller must not touch them again. Never throws. `spanCount` is 0 for all
   * but traces, which is what `signal` is when it is left out.
   */
  send(bytes: Uint8Array<ArrayBuffer>, spanCount: number, signal?: Signal): void
  /** Resolves when all that was handed over before has been delivered or dropped, or after `waitMs`. */
  flush(waitMs: number): Promise<void>
  /** Blocks until the same, or for `waitMs`; returns the spans that are still undelivered. */
  flushAtExit(waitMs: number): number
  close(): Promise<void>
}

export interface SendTarget {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** What a sender must know; plain data, because it crosses into the worker. */
export interface SendOptions {
  readonly targets: Readonly<Record<Signal, SendTarget>>
  readonly timeoutMs: number
  readonly queueBytesMax: number
  readonly userAgent: string
  /** The service's name as the header has it; undefined: the collector's head rates are not followed. */
  readonly headRateName: string | undefined
}
