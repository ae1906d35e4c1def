/** A figure over the rounds: the middle one counts, the outer ones say how far to trust it. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function figure(values: readonly number[], digits = 1): Figure {
  const sorted = values.toSorted((a, b) => a - b)
  const rounded = (value: number) => Number(value.toFixed(digits))
  return {
    median: rounded(median(sorted)),
    min: rounded(sorted[0]!),
    max: rounded(sorted.at(-1)!)
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The list turned by `steps`, so that no place in a round is always the same one's. */
export function rotated<T>(list: readonly T[], steps: number): T[] {
  return list.map((_, index) => list[(index + steps) % list.length]!)
}
