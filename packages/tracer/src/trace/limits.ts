/** The OpenTelemetry specification's span limits. Beyond them things are dropped and counted on the span. */
export interface SpanLimits {
  readonly attributesMax: number
  readonly eventsMax: number
  readonly linksMax: number
  readonly eventAttributesMax: number
  readonly linkAttributesMax: number
  /** Longer strings are cut. Infinity: never. */
  readonly valueCharsMax: number
}

export const DEFAULT_SPAN_LIMITS: SpanLimits = {
  attributesMax: 128,
  eventsMax: 128,
  linksMax: 128,
  eventAttributesMax: 128,
  linkAttributesMax: 128,
  valueCharsMax: Number.POSITIVE_INFINITY
}
