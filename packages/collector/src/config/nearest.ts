/** "Did you mean": the known word that takes the fewest edits to get to. */
export function nearestOf(word: string, known: readonly string[]): string {
  let nearest = ''
  let fewest = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const edits = editsBetween(word.slice(0, 64), candidate)
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

/** Levenshtein's distance, one row at a time. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const same = from[line - 1] === to[column - 1] ? 0 : 1
      next.push(Math.min(row[column]! + 1, next[column - 1]! + 1, row[column - 1]! + same))
    }
    row = next
  }
  return row[to.length]!
}
