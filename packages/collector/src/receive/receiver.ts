/** The receiver port: where telemetry comes in. Adapter: `otlp-http.ts`. */
import type { DecodedMetric } from '@spanloom/otlp'
import type { CollectorError, ErrorCode } from '../errors.ts'
import type { Compression } from '../model/compression.ts'
import type { OpenSpan } from '../model/open-span.ts'

/** An OTLP Export…ServiceRequest in protobuf, checked. */
export interface AcceptedPayload {
  readonly signal: 'traces' | 'metrics'
  readonly compression: Compression
  /** Memory of its own; whoever accepts it owns it. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What takes payloads from a receiver. */
export interface PayloadSink {
  /** Why a payload would be refused now, before anything was spent on it. */
  refusal(byteCount: number): CollectorError | undefined

  /**
   * Resolves once the payload is durable.
   * @throws CollectorError PIPELINE_…, JOURNAL_…: then it has no effect.
   */
  accept(payload: AcceptedPayload): Promise<void>
}

/** What takes metrics of which only the latest value counts. */
export interface MetricSink {
  /** Returns how many points it does not take, and why not the first of them. */
  take(metrics: readonly DecodedMetric[]): { readonly count: number; readonly reason: string }
}

/** What takes reports of spans that are still open. */
export interface OpenSpanSink {
  take(spans: readonly OpenSpan[]): void
}

/** What a receiver counts. `aborted`: the sender went away, or was too slow. */
export interface ReceiverEvents {
  payloadAccepted(spanCount: number, byteCount: number): void
  payloadRejected(reason: ErrorCode | 'aborted' | 'http'): void
  /** In a payload that was accepted. */
  spansRejected(spanCount: number): void
  pointsRejected(pointCount: number): void
  connectionRejected(): void
  /** Not the sender's fault. */
  failed(error: unknown): void
}

export interface Receiver {
  /** @throws CollectorError CONFIG_PORT_TAKEN, CONFIG_HOST_UNUSABLE */
  listen(): Promise<{ readonly port: number }>

  /** Takes no more requests and finishes those under way; cuts off what is left at `signal`. */
  close(signal: AbortSignal): Promise<void>
}
