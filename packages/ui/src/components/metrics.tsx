/** The cells that every table of calls has, written and coloured alike. */
import {
  formatCount,
  formatDurationMs,
  formatExact,
  formatRate,
  formatShare
} from '../model/format.ts'

export type Health = 'none' | 'some' | 'warn' | 'bad'

/** One in a hundred is worth a look, one in twenty is trouble: the thresholds of every page. */
export function healthOf(errors: number, calls: number): Health {
  if (errors <= 0) return 'none'
  const share = errors / Math.max(1, calls)
  return share >= 0.05 ? 'bad' : share >= 0.01 ? 'warn' : 'some'
}

interface CallsProps {
  readonly calls: number
  readonly errors: number
}

export function ErrorCell({ calls, errors }: CallsProps) {
  const health = healthOf(errors, calls)
  return (
    <span
      className={`errors is-${health}`}
      title={`${formatExact(errors)} of ${formatExact(calls)} calls`}
    >
      <b>{formatShare(errors, calls)}</b>
      <small>{errors > 0 ? formatCount(errors) : ''}</small>
    </span>
  )
}

export function RateCell({
  perSecond,
  calls
}: {
  readonly perSecond: number
  readonly calls: number
}) {
  return <span title={`${formatExact(calls)} calls`}>{formatRate(perSecond)}</span>
}

/** A duration over a bar that shows it against the longest of its column. */
export function LatencyCell({
  ms,
  longestMs
}: {
  readonly ms: number | undefined
  readonly longestMs: number
}) {
  const share = ms === undefined || longestMs <= 0 ? 0 : Math.sqrt(ms / longestMs)
  return (
    <span className="latency">
      {formatDurationMs(ms)}
      <i
        aria-hidden="true"
        style={{ width: `${Math.max(share * 100, ms === undefined ? 0 : 2)}%` }}
      />
    </span>
  )
}

export interface Tile {
  readonly label: string
  readonly value: string
  readonly note?: string
  readonly health?: Health
}

export function Tiles({ tiles }: { readonly tiles: readonly Tile[] }) {
  return (
    <dl className="tiles">
      {tiles.map((tile) => (
        <div key={tile.label} className={`tile is-${tile.health ?? 'none'}`}>
          <dt>{tile.label}</dt>
          <dd>
            {tile.value}
            {tile.note !== undefined && <small>{tile.note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
