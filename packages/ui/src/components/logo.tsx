/** Three spans woven through two threads: what the product does, in 22 pixels. */
export function Logo() {
  return (
    <svg className="logo" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <g className="logo-warp">
        <rect x="5.5" y="1" width="3" height="20" rx="1.5" />
        <rect x="13" y="1" width="3" height="20" rx="1.5" />
      </g>
      <g className="logo-weft">
        <rect x="1" y="3" width="18" height="3" rx="1.5" />
        <rect x="3" y="9.5" width="18" height="3" rx="1.5" />
        <rect x="1" y="16" width="18" height="3" rx="1.5" />
      </g>
      <g className="logo-gap">
        <rect x="12.3" y="2.9" width="4.4" height="3.2" />
        <rect x="4.8" y="9.4" width="4.4" height="3.2" />
        <rect x="12.3" y="15.9" width="4.4" height="3.2" />
      </g>
      <g className="logo-over">
        <rect x="13" y="2" width="3" height="5" />
        <rect x="5.5" y="8.5" width="3" height="5" />
        <rect x="13" y="15" width="3" height="5" />
      </g>
    </svg>
  )
}
