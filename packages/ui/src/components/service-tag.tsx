import type { CSSProperties } from 'react'
import { serviceColour } from '../state/preferences.ts'

/** A service's name beside its colour. */
export function ServiceTag({ service }: { readonly service: string }) {
  return (
    <span className="service-tag" style={{ '--colour': serviceColour(service) } as CSSProperties}>
      <i className="service-dot" aria-hidden="true" />
      <span className="clip">{service === '' ? '(no name)' : service}</span>
    </span>
  )
}
