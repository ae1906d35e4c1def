/** Text of whatever the app hands in: a Symbol, an object whose `toString` throws, a revoked Proxy. */
const UNREADABLE = '(unreadable)'

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    // An array's own text is that of all its elements, and theirs.
    return Array.isArray(value) ? `Array(${value.length})` : String(value)
  } catch {
    return UNREADABLE
  }
}

/** At most `charsMax` UTF-16 units, and never half a character. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const last = text.charCodeAt(charsMax - 1)
  const splitsPair = last >= 0xd800 && last <= 0xdbff
  return text.slice(0, splitsPair ? charsMax - 1 : charsMax)
}
