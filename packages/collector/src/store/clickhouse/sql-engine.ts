/**
 * What the SQL needs from whoever runs it: the embedded engine's child process today, a ClickHouse
 * server over HTTP later. All speak the same SQL; only this interface differs.
 */
import type { TableName } from './schema.ts'

/** One row as `JSONCompactEachRow` writes it. */
export type Row = readonly unknown[]

/** RowBinary rows that go into each of the tables. */
export interface RowsForTables {
  readonly tables: readonly TableName[]
  readonly bytes: Uint8Array
}

export interface SqlEngine {
  /** @throws CollectorError STORE_ENGINE_MISSING, STORE_LOCKED, STORE_OPEN_FAILED */
  open(signal: AbortSignal): Promise<void>

  /**
   * A SELECT, with limits on time, memory, threads and result set by the engine.
   * @throws CollectorError STORE_UNAVAILABLE, STORE_QUERY_TIMEOUT, STORE_QUERY_TOO_LARGE,
   *   STORE_QUERY_FAILED, STORE_BUSY; the signal's reason when that aborts it.
   */
  select(sql: string, signal: AbortSignal): Promise<readonly Row[]>

  /** DDL and other statements without an answer, in turn with the inserts. */
  command(sql: string): Promise<void>

  /**
   * Inserts a batch, table after table. For a table and token that were inserted before, it does
   * nothing, so a batch that failed half way can be inserted again.
   * @throws CollectorError STORE_UNAVAILABLE, STORE_BATCH_INVALID
   */
  insert(batch: readonly RowsForTables[], token: string): Promise<void>

  /** Finishes the inserts under way. */
  close(): Promise<void>
}
