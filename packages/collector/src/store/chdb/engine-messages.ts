/** What the host and the engine's child process say to each other. */

/** Sessions by index: one writes, the others read. One more, not listed, only cancels. */
export const WRITER_SESSION = 0
export const READER_SESSIONS = 2

export type ToChild =
  | { readonly type: 'open' }
  | {
      readonly type: 'run'
      readonly id: number
      readonly session: number
      readonly sql: string
    }
  | { readonly type: 'cancel'; readonly id: number }

export type FromChild =
  | { readonly type: 'opened' }
  | {
      readonly type: 'openFailed'
      readonly reason: 'missing' | 'engine'
      readonly message: string
    }
  | { readonly type: 'result'; readonly id: number; readonly bytes: Uint8Array }
  /** `code` is ClickHouse's; 0 when it gave none. */
  | {
      readonly type: 'error'
      readonly id: number
      readonly code: number
      readonly message: string
    }

/** Where the engine's files are, relative to the child's working directory: the data directory. */
export const ENGINE_DIR = 'engine'
export const SPOOL_DIR = 'spool'
export const CONFIG_FILE = 'engine.xml'
