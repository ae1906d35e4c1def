/** What the launcher and its processes say to each other over the IPC channel. */
import type { ServiceCounts } from './counter.ts'

export type ToService = { readonly type: 'counts'; readonly requestId: number }

export type FromService =
  | { readonly type: 'ready'; readonly port: number }
  /** It could not start; it exits with code 1 after saying so. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'counts'; readonly requestId: number; readonly counts: ServiceCounts }
