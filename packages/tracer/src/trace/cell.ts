/**
 * Through this cell, and only through it, contexts reach a span. When a local root ends, the cell lets
 * go of it and keeps its ids: a timer or a socket that outlives the request pins some 150 bytes and
 * not the span with all its attributes.
 */
import type { Span } from '@opentelemetry/api'
import type { FlatAttributes } from './attributes.ts'
import { inertCopy } from './inert-span.ts'
import type { SpanIdentity } from './span-identity.ts'

export class SpanCell {
  span: Span & SpanIdentity
  /** Of a local root's cell: attributes that every span below it begins with. */
  inherited: FlatAttributes | undefined = undefined
  /** Whether calls below this span are held back to be collapsed. */
  held = false

  constructor(span: Span & SpanIdentity) {
    this.span = span
  }

  release(): void {
    this.span = inertCopy(this.span)
  }
}
