/** Span attributes that the scanner reads for the stages after it; a key's index is its column. */
import {
  COLLAPSED_COUNT,
  DB_NAME,
  DB_NAMESPACE,
  DB_SYSTEM,
  DB_SYSTEM_NAME,
  MESSAGING_DESTINATION_NAME,
  MESSAGING_SYSTEM,
  NO_STRING,
  PEER_SERVICE,
  SERVER_ADDRESS,
  SERVER_PORT,
  SpanKind,
  type SpanRows
} from '@spanloom/otlp'

export const WANTED_KEYS = [
  DB_SYSTEM_NAME,
  DB_SYSTEM,
  DB_NAMESPACE,
  DB_NAME,
  MESSAGING_SYSTEM,
  MESSAGING_DESTINATION_NAME,
  PEER_SERVICE,
  SERVER_ADDRESS,
  SERVER_PORT,
  COLLAPSED_COUNT
] as const

/** Columns of `SpanRows.attributes`. */
export const WANTED = {
  DB_SYSTEM_NAME: 0,
  DB_SYSTEM: 1,
  DB_NAMESPACE: 2,
  DB_NAME: 3,
  MESSAGING_SYSTEM: 4,
  MESSAGING_DESTINATION_NAME: 5,
  PEER_SERVICE: 6,
  SERVER_ADDRESS: 7,
  SERVER_PORT: 8,
  COLLAPSED_COUNT: 9
} as const

/** @hot Whether the span says that it stands for several calls; only a client's does. */
export function isCollapsed(rows: SpanRows, row: number): boolean {
  return (
    rows.attributes[WANTED.COLLAPSED_COUNT]![row] !== NO_STRING &&
    rows.kind[row] === SpanKind.CLIENT
  )
}
