/** Sorting of tables: one column, up or down, the rest by name so that equal rows never jump. */
export interface Sort<Column extends string> {
  readonly column: Column
  readonly descending: boolean
}

/** `rate` is descending, `-rate` ascending: numbers are most often wanted largest first. */
export function decodeSort<Column extends string>(
  text: string | undefined,
  columns: readonly Column[],
  fallback: Sort<Column>
): Sort<Column> {
  const name = text?.replace(/^-/, '')
  const column = columns.find((known) => known === name)
  return column === undefined ? fallback : { column, descending: !text?.startsWith('-') }
}

export function encodeSort(sort: Sort<string>): string {
  return sort.descending ? sort.column : `-${sort.column}`
}

export function sortRows<Row, Column extends string>(
  rows: readonly Row[],
  sort: Sort<Column>,
  sortValue: (row: Row, column: Column) => number | string | undefined,
  nameOf: (row: Row) => string
): readonly Row[] {
  const sign = sort.descending ? -1 : 1
  return [...rows].sort((a, b) => {
    const left = sortValue(a, sort.column)
    const right = sortValue(b, sort.column)
    // What was not measured comes last, whichever way the column is sorted.
    if (left === undefined || right === undefined) {
      if (left !== right) return left === undefined ? 1 : -1
    } else if (left !== right) {
      return left < right ? -sign : sign
    }
    return nameOf(a) < nameOf(b) ? -1 : 1
  })
}
