/** Shorter blocks of the event loop explain nothing that people look for. */
export const PAUSE_MIN_MS = 50
/** Nor do shorter pauses of the collector: a span that is shorter has sat through neither. */
export const GC_PAUSE_MIN_MS = 20
