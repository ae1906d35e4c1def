import { encodeSort, type Sort } from '../model/sort.ts'

interface SortHeaderProps<Column extends string> {
  readonly column: Column
  readonly label: string
  readonly unit?: string
  readonly sort: Sort<Column>
  readonly isText?: boolean
  readonly onSort: (encoded: string) => void
}

/** A column's head: click to sort by it, click again to turn the order round. */
export function SortHeader<Column extends string>(props: SortHeaderProps<Column>) {
  const { column, label, unit, sort, isText = false, onSort } = props
  const isSorted = sort.column === column
  const descending = isSorted ? !sort.descending : !isText
  return (
    <th
      scope="col"
      className={isText ? 'is-text' : 'is-number'}
      aria-sort={isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" onClick={() => onSort(encodeSort({ column, descending }))}>
        {label}
        {unit !== undefined && <small>{unit}</small>}
        <i aria-hidden="true">{isSorted ? (sort.descending ? '↓' : '↑') : ''}</i>
      </button>
    </th>
  )
}
