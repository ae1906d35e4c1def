/**
 * Patterns of sampling rules: `*` is any text, `?` any one character, and a path segment that begins
 * with `:` is any one segment, so that a route is a pattern of its paths. Letters of either case match.
 *
 * Matched by hand and not by a regular expression: paths come from strangers, and with several `*` an
 * expression takes time that grows with a power of the path's length. Here only the last `*` is ever
 * tried again: pattern × text at most.
 */
export const PATTERN_CHARS_MAX = 256
/** Longer texts are matched by their beginning. */
const TEXT_CHARS_MAX = 1_024

const ANY_TEXT = -1
const ANY_ONE = -2
const ANY_SEGMENT = -3
const SLASH = 47

export type Glob = (text: string) => boolean

/** `hasSegments` false: `:` stands for itself. */
export function compileGlob(pattern: string, hasSegments = true): Glob {
  const tokens = tokensOf(pattern.toLowerCase(), hasSegments)
  if (tokens.every((token) => token === ANY_TEXT)) {
    return tokens.length > 0 ? () => true : (text) => text === ''
  }
  return (text) => matches(tokens, text.slice(0, TEXT_CHARS_MAX).toLowerCase())
}

function tokensOf(pattern: string, hasSegments: boolean): number[] {
  const tokens: number[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!
    if (char === '*') tokens.push(ANY_TEXT)
    else if (char === '?') tokens.push(ANY_ONE)
    else if (hasSegments && char === ':' && isSegment(pattern, at)) {
      tokens.push(ANY_SEGMENT)
      while (at + 1 < pattern.length && pattern[at + 1] !== '/') at++
    } else tokens.push(char.charCodeAt(0))
  }
  return tokens
}

function isSegment(pattern: string, colon: number): boolean {
  return pattern[colon - 1] === '/' && /\w/.test(pattern[colon + 1] ?? '')
}

function matches(tokens: readonly number[], text: string): boolean {
  let token = 0
  let at = 0
  let starToken = -1
  let starAt = 0
  for (;;) {
    if (tokens[token] === ANY_TEXT) {
      starToken = token++
      starAt = at
      continue
    }
    if (token === tokens.length && at === text.length) return true
    const end = token < tokens.length ? endOf(tokens[token]!, text, at) : -1
    if (end > 0) {
      token++
      at = end
    } else if (starToken >= 0 && starAt < text.length) {
      at = ++starAt
      token = starToken + 1
    } else {
      return false
    }
  }
}

/** Where the token's match ends, or -1. */
function endOf(token: number, text: string, start: number): number {
  if (start >= text.length) return -1
  if (token === ANY_ONE) return start + 1
  if (token !== ANY_SEGMENT) return text.charCodeAt(start) === token ? start + 1 : -1
  let end = start
  while (end < text.length && text.charCodeAt(end) !== SLASH) end++
  return end === start ? -1 : end
}
