/** The port through which encoded spans leave. Adapters: a worker thread, or the main thread. */
export interface Sender {
  /** Takes the bytes over; the caller must not touch them again. Never throws. */
  send(bytes: Uint8Array<ArrayBuffer>, spanCount: number): void
  /** Resolves when all that was handed over before has been delivered or dropped, or after `waitMs`. */
  flush(waitMs: number): Promise<void>
  /** Blocks until the same, or for `waitMs`; returns the spans that are still undelivered. */
  flushAtExit(waitMs: number): number
  close(): Promise<void>
}

/** What a sender must know; plain data, because it crosses into the worker. */
export interface SendOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly queueBytesMax: number
  readonly userAgent: string
  /** The service's name as the header has it; undefined: the collector's head rates are not followed. */
  readonly headRateName: string | undefined
}
