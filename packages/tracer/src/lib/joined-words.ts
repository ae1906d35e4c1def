/**
 * Names of two words, `GET /orders/:id`, each made once. A string that was just put together has to be copied
 * flat and hashed before any table finds it, which was 1.5 µs a request; the same string again costs nothing.
 * At most 2,000 are kept; then it starts anew, because names that many hold ids.
 */
const NAMES_MAX = 2_000

const names = new Map<string, Map<string, string>>()
let count = 0

/** @hot */
export function joinedWords(first: string, second: string): string {
  const known = names.get(first)?.get(second)
  return known === undefined ? remembered(first, second) : known
}

function remembered(first: string, second: string): string {
  if (count++ >= NAMES_MAX) {
    names.clear()
    count = 1
  }
  const joined = `${first} ${second}`
  const ofFirst = names.get(first)
  if (ofFirst === undefined) names.set(first, new Map([[second, joined]]))
  else ofFirst.set(second, joined)
  return joined
}
