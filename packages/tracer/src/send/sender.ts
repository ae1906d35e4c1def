import type { Attributes } from '@opentelemetry/api'

import type { NoticeLevel } from '../notices.ts'
import type { Compression } from './compression.ts'

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
  /** Milliseconds for which a sending thread has been busy; 0 where there is none. */
  readonly busyMs: number
  /** Tells a sending thread the name that open spans of this index have. */
  sayName(index: number, name: string): void
  close(): Promise<void>
}

export interface SendTarget {
  readonly url: string
  /** The Unix socket through which `url` is asked. */
  readonly socketPath?: string
  readonly headers: Readonly<Record<string, string>>
  /** For one request, whole. */
  readonly timeoutMs: number
  readonly compression: Compression
  readonly tls?: TlsFiles
}

/** PEM files for https. */
export interface TlsFiles {
  readonly ca?: string
  readonly key?: string
  readonly cert?: string
}

/** For what is said: without the user's name and password that an address may hold. */
export function addressOf({ url, socketPath }: SendTarget): string {
  if (socketPath !== undefined) return `unix://${socketPath}`
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** What the sending thread needs to report spans that stay open. */
export interface OpenSpanWatch {
  readonly shared: SharedArrayBuffer
  readonly resource: Attributes
  readonly scope: { readonly name: string; readonly version: string }
}

/** What a sender must know; plain data, because it crosses into the worker. */
export interface SendOptions {
  readonly targets: Readonly<Record<Signal, SendTarget>>
  readonly queueBytesMax: number
  readonly userAgent: string
  /** What the sending thread says; all of it when left out. */
  readonly logLevel?: NoticeLevel
  /** The service's name as the header has it; undefined: the collector's head rates are not followed. */
  readonly headRateName: string | undefined
}
