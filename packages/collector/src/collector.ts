/** Composition root: chooses adapters, starts in order, stops in reverse. */
export {}
