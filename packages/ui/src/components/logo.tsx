/** Three spans woven through two threads: what the product does, in 22 pixels. */
export function Logo() {
  return (
    <svg className="logo" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <g className="logo-warp">
        <rect x="6" y="1" width="3" height="20" rx="1.5" />
        <rect x="13" y="1" width="3" height="20" rx="1.5" />
      </g>
      <g className="logo-weft">
        <path d="M1 4.5a1.5 1.5 0 0 1 1.5-1.5H11v3H2.5A1.5 1.5 0 0 1 1 4.5z" />
        <rect x="4" y="9.5" width="5" height="3" />
        <path d="M11.5 9.5h8a1.5 1.5 0 0 1 0 3h-8z" />
        <path d="M1 17.5a1.5 1.5 0 0 1 1.5-1.5h8.5v3H2.5A1.5 1.5 0 0 1 1 17.5z" />
      </g>
      <g className="logo-over">
        <rect x="13" y="1" width="3" height="7" rx="1.5" />
        <rect x="6" y="7.5" width="3" height="7" rx="1.5" />
        <rect x="13" y="14" width="3" height="7" rx="1.5" />
      </g>
    </svg>
  )
}
