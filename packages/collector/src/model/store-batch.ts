/** What goes to the store at one tick: all tables' rows, already in the store's own encoding. */
export interface TableRows {
  readonly table: string
  readonly rowCount: number
  /** Owned by the receiver. */
  readonly bytes: Uint8Array
}

export interface StoreBatch {
  /**
   * Made from journal positions: the same records give the same token and the same rows, so that
   * the store can drop the second insert when a crash came between insert and checkpoint.
   */
  readonly token: string
  readonly shard: number
  /** Position of the tick that cut it. Several parts of one tick have the same position. */
  readonly position: number
  readonly part: number
  readonly spanCount: number
  readonly traceCount: number
  readonly tables: readonly TableRows[]
}
