/** What a span holds, and how what an app says becomes it. */
import { cutText, textOf } from '../lib/text.ts'
import type { FlatAttributes } from './attributes.ts'
import type { SpanIdentity } from './span-identity.ts'

export interface FlatEvent {
  readonly name: string
  readonly timeMs: number
  readonly attributes: FlatAttributes
  readonly droppedAttributesCount: number
}

export interface FlatLink {
  readonly target: SpanIdentity
  readonly attributes: FlatAttributes
  readonly droppedAttributesCount: number
}

/** Longer names and status messages are cut: they go into tables of names. */
const NAME_CHARS_MAX = 1_024
export const MESSAGE_CHARS_MAX = 8_192
/** OTLP's counts of what was dropped have 32 bits. */
const COUNT_MAX = 0xffff_ffff

/** Any text, cut where a name is too long for tables of names. */
export function spanName(name: unknown): string {
  return typeof name === 'string' && name.length <= NAME_CHARS_MAX
    ? name
    : cutText(textOf(name), NAME_CHARS_MAX)
}

export function countOf(count: unknown): number {
  const isCount = typeof count === 'number' && Number.isSafeInteger(count) && count > 0
  return isCount ? Math.min(count, COUNT_MAX) : 0
}
