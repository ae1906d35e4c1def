/** Span attributes that the scanner reads for the stages after it; a key's index is its column. */
import {
  DB_NAME,
  DB_NAMESPACE,
  DB_SYSTEM,
  DB_SYSTEM_NAME,
  MESSAGING_DESTINATION_NAME,
  MESSAGING_SYSTEM,
  PEER_SERVICE,
  SERVER_ADDRESS,
  SERVER_PORT
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
  SERVER_PORT
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
  SERVER_PORT: 8
} as const
