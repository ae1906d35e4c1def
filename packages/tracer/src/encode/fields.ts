/** Field numbers of `opentelemetry/proto/trace/v1/trace.proto` that attributes and spans share. */
export const FIELD_ATTRIBUTES = 9

/** Bits of `Span.flags` and `Link.flags` above the eight trace flags. */
export const FLAG_HAS_IS_REMOTE = 0x100
export const FLAG_IS_REMOTE = 0x200
