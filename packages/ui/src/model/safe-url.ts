/**
 * Whether a value of a span may become a link. Spans are written by whoever can reach a traced
 * service, so only whole http and https addresses are, and `javascript:` and its kin stay text.
 */
export function safeHref(value: string): string | undefined {
  if (!/^https?:\/\//i.test(value)) return undefined
  try {
    const url = new URL(value)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined
  } catch {
    return undefined
  }
}
