import type { MouseEvent, ReactNode } from 'react'
import { encodeRoute, type Route } from '../model/url.ts'
import { navigate } from '../state/router.ts'

interface LinkProps {
  readonly to: Route
  readonly children: ReactNode
  readonly className?: string
  readonly title?: string
  readonly current?: boolean
}

/** A real link: it can be opened in a new tab, and a plain click changes the page in place. */
export function Link({ to, children, className, title, current }: LinkProps) {
  return (
    <a
      href={encodeRoute(to)}
      className={className}
      title={title}
      aria-current={current === true ? 'page' : undefined}
      onClick={(event) => followInPlace(event, to)}
    >
      {children}
    </a>
  )
}

/** Leaves clicks that ask for a new tab or window to the browser. */
export function followInPlace(event: MouseEvent, to: Route): void {
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  navigate(to)
}
