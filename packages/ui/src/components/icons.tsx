/** The icons, drawn on a 16 by 16 grid with the text's colour. All are decoration: labels speak. */
const PATHS = {
  arrowRight: 'M3 8h10M9 4l4 4-4 4',
  arrowUpRight: 'M5 11 11 5M6 5h5v5',
  check: 'm3 8.5 3.2 3L13 4.5',
  chevron: 'm6 4 4 4-4 4',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.3 1.6',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M6 6h7v7H6zM10 6V3H3v7h3',
  database:
    'M3 4.2C3 3 5.2 2.2 8 2.2s5 .8 5 2-2.2 2-5 2-5-.8-5-2zM3 4.2v7.6c0 1.2 2.2 2 5 2s5-.8 5-2V4.2M3 8c0 1.2 2.2 2 5 2s5-.8 5-2',
  error: 'M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2',
  external:
    'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM1.8 8h12.4M8 1.8c-4 4-4 8.4 0 12.4 4-4 4-8.4 0-12.4',
  filter: 'M2 3.5h12L9.5 9v4l-3-1.5V9z',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  messaging: 'M2 4h5v8H2zM9 4h5v8H9zM4.5 6.5v3M11.5 6.5v3',
  minus: 'M3 8h10',
  moon: 'M13.2 9.8A5.8 5.8 0 0 1 6.2 2.8a5.8 5.8 0 1 0 7 7z',
  auto: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M10.5 3.8v8.4M12.7 5.5v5',
  plus: 'M3 8h10M8 3v10',
  refresh: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.4 3.4',
  service: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13',
  user: 'M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM2.8 14c.3-3 2.4-4.3 5.2-4.3s4.9 1.3 5.2 4.3',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3 3 0 0 1 3 8.5L4.5 7'
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 14 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

/** For drawing inside another SVG. */
export function iconPath(name: IconName): string {
  return PATHS[name]
}
