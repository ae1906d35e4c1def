/** What Kafka's clients have in common: the attributes of a message, and copies of messages with our headers. */
import {
  MESSAGING_CONSUMER_GROUP_NAME,
  MESSAGING_DESTINATION_PARTITION_ID,
  MESSAGING_KAFKA_MESSAGE_KEY,
  MESSAGING_KAFKA_OFFSET
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'

export const KAFKA = 'kafka'

/** Keys are meant to be short; a longer one is data. */
const KEY_CHARS_MAX = 128

export interface KafkaPlace {
  readonly group: string | undefined
  readonly partition?: number | undefined
  readonly offset?: string | number | bigint | undefined
  readonly key?: unknown
}

export function describeKafka(span: AnySpan, place: KafkaPlace): void {
  if (!(span instanceof RecordingSpan)) return
  const { group, partition, offset } = place
  if (group !== undefined) span.put(MESSAGING_CONSUMER_GROUP_NAME, group)
  if (partition !== undefined) span.put(MESSAGING_DESTINATION_PARTITION_ID, String(partition))
  if (offset !== undefined) span.put(MESSAGING_KAFKA_OFFSET, Number(offset))
  const key = keyText(place.key)
  if (key !== undefined) span.put(MESSAGING_KAFKA_MESSAGE_KEY, key)
}

function keyText(key: unknown): string | undefined {
  if (typeof key === 'number' || typeof key === 'bigint') return String(key)
  const isText = typeof key === 'string' || Buffer.isBuffer(key)
  if (!isText || key.length === 0 || key.length > KEY_CHARS_MAX) return undefined
  const text = key.toString()
  // A binary key is no text: its bytes do not decode.
  return text.includes('\ufffd') ? undefined : text
}
