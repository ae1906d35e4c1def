/** A span that had not ended when its process reported it. */
export interface OpenSpan {
  readonly traceId: string
  readonly spanId: string
  readonly service: string
  readonly instance: string
  readonly name: string
  readonly kind: string
  readonly startUnixMs: number
  /** When it was reported, by the sender's clock. */
  readonly reportedUnixMs: number
  /** How long the process's event loop had been blocked by then; 0 when it was not. */
  readonly eventLoopBlockedMs: number
}
