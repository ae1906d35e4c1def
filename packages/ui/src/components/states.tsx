/** What stands where data would: not yet, nothing, or an error that the reader can act on. */
import type { ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'

interface EmptyProps {
  readonly title: string
  readonly children?: ReactNode
  readonly icon?: IconName
}

export function Empty({ title, children, icon = 'search' }: EmptyProps) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={20} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export function Failure({ error, title }: { readonly error: unknown; readonly title: string }) {
  return (
    <div className="empty" role="alert">
      <span className="empty-icon is-bad">
        <Icon name="error" size={20} />
      </span>
      <h2>{title}</h2>
      <p>{error instanceof Error ? error.message : String(error)}</p>
    </div>
  )
}

/** As many grey rows as the table will have, at the height it will have. */
export function SkeletonRows({ rows, height }: { readonly rows: number; readonly height: number }) {
  return (
    <div className="skeleton" aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows without identity
        <div key={row} className="skeleton-row" style={{ height }}>
          <i style={{ width: `${30 + ((row * 37) % 50)}%` }} />
        </div>
      ))}
    </div>
  )
}
