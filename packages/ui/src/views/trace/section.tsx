import { type ReactNode, useState } from 'react'
import { Icon } from '../../components/icons.tsx'

interface SectionProps {
  readonly title: string
  readonly count?: number
  readonly isClosed?: boolean
  readonly children: ReactNode
}

/** A part of the panel that can be closed. What is closed is not drawn. */
export function Section({ title, count, isClosed = false, children }: SectionProps) {
  const [isOpen, setOpen] = useState(!isClosed)
  return (
    <details
      className="panel-section"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <Icon name="chevron" size={12} />
        {title} {count !== undefined && <small>{count}</small>}
      </summary>
      {isOpen && children}
    </details>
  )
}
