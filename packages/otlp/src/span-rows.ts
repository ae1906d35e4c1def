/**
 * A payload's spans as columns: one row a span, one typed array a field. Reused from scan to scan
 * and grown by doubling, so that scanning allocates nothing once the largest payload was seen.
 *
 * A row takes 75 bytes and 4 more per wanted attribute. After a scan of more than ROWS_KEPT_MAX
 * spans the columns are let go of at the next one.
 */
import { NO_STRING } from './string-table.ts'

export interface SpanRows {
  /** Rows 0 … count - 1 are valid; what stands beyond is left over. */
  readonly count: number
  /** Four big-endian words a row. */
  readonly traceId: Uint32Array
  /** Two big-endian words a row. */
  readonly spanId: Uint32Array
  /** Two big-endian words a row; 0 0 is no parent. */
  readonly parentSpanId: Uint32Array
  /** Rounded to what a double holds: about a quarter of a microsecond. */
  readonly startUnixMs: Float64Array
  /** End - start, exact up to 2^53; negative when the span ends before it starts. */
  readonly durationNano: Float64Array
  /** OTLP's numbers; one that OTLP does not know is 0. */
  readonly kind: Uint8Array
  readonly status: Uint8Array
  readonly flags: Uint32Array
  /** String ids; 'unknown_service' when the resource has no or an empty service.name. */
  readonly service: Int32Array
  readonly name: Int32Array
  /** 1 when its resource says that such spans were counted in their process; see span-stats.ts. */
  readonly counted: Uint8Array
  /** Where the contents of the messages are in the payload; length 0 when absent. */
  readonly spanOffset: Int32Array
  readonly spanLength: Int32Array
  readonly resourceOffset: Int32Array
  readonly resourceLength: Int32Array
  readonly scopeOffset: Int32Array
  readonly scopeLength: Int32Array
  /** One column per wanted key: the text of the span's attribute, or NO_STRING. */
  readonly attributes: readonly Int32Array[]
}

/** What the scanner writes. */
export type SpanColumns = { -readonly [Column in keyof SpanRows]: SpanRows[Column] } & {
  attributes: Int32Array[]
}

const ROWS_INITIAL = 1024
export const ROWS_KEPT_MAX = 65_536

export function createSpanColumns(attributeCount: number): SpanColumns {
  return {
    count: 0,
    traceId: new Uint32Array(ROWS_INITIAL * 4),
    spanId: new Uint32Array(ROWS_INITIAL * 2),
    parentSpanId: new Uint32Array(ROWS_INITIAL * 2),
    startUnixMs: new Float64Array(ROWS_INITIAL),
    durationNano: new Float64Array(ROWS_INITIAL),
    kind: new Uint8Array(ROWS_INITIAL),
    status: new Uint8Array(ROWS_INITIAL),
    flags: new Uint32Array(ROWS_INITIAL),
    service: new Int32Array(ROWS_INITIAL),
    name: new Int32Array(ROWS_INITIAL),
    counted: new Uint8Array(ROWS_INITIAL),
    spanOffset: new Int32Array(ROWS_INITIAL),
    spanLength: new Int32Array(ROWS_INITIAL),
    resourceOffset: new Int32Array(ROWS_INITIAL),
    resourceLength: new Int32Array(ROWS_INITIAL),
    scopeOffset: new Int32Array(ROWS_INITIAL),
    scopeLength: new Int32Array(ROWS_INITIAL),
    attributes: Array.from({ length: attributeCount }, () =>
      new Int32Array(ROWS_INITIAL).fill(NO_STRING)
    )
  }
}

export function growSpanColumns(columns: SpanColumns): void {
  columns.traceId = doubled(columns.traceId)
  columns.spanId = doubled(columns.spanId)
  columns.parentSpanId = doubled(columns.parentSpanId)
  columns.startUnixMs = doubled(columns.startUnixMs)
  columns.durationNano = doubled(columns.durationNano)
  columns.kind = doubled(columns.kind)
  columns.status = doubled(columns.status)
  columns.flags = doubled(columns.flags)
  columns.service = doubled(columns.service)
  columns.name = doubled(columns.name)
  columns.counted = doubled(columns.counted)
  columns.spanOffset = doubled(columns.spanOffset)
  columns.spanLength = doubled(columns.spanLength)
  columns.resourceOffset = doubled(columns.resourceOffset)
  columns.resourceLength = doubled(columns.resourceLength)
  columns.scopeOffset = doubled(columns.scopeOffset)
  columns.scopeLength = doubled(columns.scopeLength)
  columns.attributes = columns.attributes.map(doubled)
}

function doubled<Column extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  column: Column
): Column {
  const larger = new (column.constructor as new (length: number) => Column)(column.length * 2)
  larger.set(column)
  return larger
}
