/**
 * A report as a picture: what each tracer adds to each app, a panel for CPU, memory and start. SVG that is
 * readable on light and dark pages, without a font or a script of its own.
 */
import type { AppName } from './processes.ts'
import type { Report } from './report.ts'

const APPS: Readonly<Record<AppName, string>> = {
  nodeHttp: 'node:http',
  express: 'Express',
  fastify: 'Fastify',
  expressFetchPg: 'Express, fetch, pg'
}
const TRACERS = { own: 'Spanloom', dd: 'dd-trace', otel: 'OpenTelemetry' } as const
type Added = keyof typeof TRACERS
type Row = NonNullable<NonNullable<Report['apps'][AppName]>[Added]>

interface Panel {
  readonly title: string
  readonly value: (added: NonNullable<Row['added']>) => number
}

const PANELS: readonly Panel[] = [
  { title: 'CPU, µs a request', value: (added) => added.cpuMicros.median },
  { title: 'Memory, MB', value: (added) => added.rssMb.median },
  { title: 'Start, ms', value: (added) => added.startMs }
]

const LABELS_WIDTH = 136
const PANEL_WIDTH = 230
/** Right of the longest bar, for its number. */
const NUMBER_WIDTH = 46
const PANEL_GAP = 18
const HEAD_HEIGHT = 58
const BAR_HEIGHT = 13
const GROUP_HEIGHT = BAR_HEIGHT * 3 + 17

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #57534e }
  .strong { font-weight: 600; fill: #1c1917 }
  .own { fill: #6d28d9 } .dd { fill: #a8a29e } .otel { fill: #d6d3d1 }
  .ownNumber { font-weight: 600; fill: #6d28d9 }
  @media (prefers-color-scheme: dark) {
    text { fill: #a8a29e } .strong { fill: #fafaf9 }
    .own { fill: #a78bfa } .dd { fill: #78716c } .otel { fill: #57534e }
    .ownNumber { fill: #a78bfa }
  }`

export function costChart({ apps }: Report): string {
  const width = LABELS_WIDTH + PANELS.length * (PANEL_WIDTH + PANEL_GAP)
  const height = HEAD_HEIGHT + Object.keys(APPS).length * GROUP_HEIGHT
  const names = Object.entries(APPS).map(([, name], index) =>
    text(LABELS_WIDTH - 12, groupY(index) + BAR_HEIGHT * 1.5 + 4, name, 'strong', 'end')
  )
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>What each tracer adds to each app: CPU, memory and start</title>',
    `<style>${STYLE}</style>`,
    ...legend(),
    ...names,
    ...PANELS.flatMap((panel, index) =>
      panelOf(panel, apps, LABELS_WIDTH + index * (PANEL_WIDTH + PANEL_GAP))
    ),
    '</svg>'
  ].join('\n')}\n`
}

function legend(): string[] {
  return Object.entries(TRACERS).flatMap(([tracer, name], index) => {
    const x = LABELS_WIDTH + index * 110
    return [rect(x, 6, 11, 11, tracer), text(x + 17, 16, name, '', 'start')]
  })
}

function panelOf({ title, value }: Panel, apps: Report['apps'], x: number): string[] {
  const rows = Object.keys(APPS).flatMap((app, group) =>
    (Object.keys(TRACERS) as Added[]).map((tracer, bar) => ({
      tracer,
      y: groupY(group) + bar * BAR_HEIGHT,
      added: numberOf(apps[app as AppName]?.[tracer]?.added, value)
    }))
  )
  const most = Math.max(...rows.map((row) => row.added ?? 0))
  return [
    text(x, 44, title, 'strong', 'start'),
    ...rows.flatMap(({ tracer, y, added }) => {
      if (added === undefined) return []
      const length = Math.max(1, (added / most) * (PANEL_WIDTH - NUMBER_WIDTH))
      const label = added < 10 ? added.toFixed(1) : added.toFixed(0)
      const kind = tracer === 'own' ? 'ownNumber' : ''
      return [
        rect(x, y, length, BAR_HEIGHT - 2, tracer),
        text(x + length + 5, y + BAR_HEIGHT - 3, label, kind, 'start')
      ]
    })
  ]
}

function numberOf(added: Row['added'], value: Panel['value']): number | undefined {
  return added === undefined ? undefined : value(added)
}

const groupY = (index: number) => HEAD_HEIGHT + index * GROUP_HEIGHT

const rect = (x: number, y: number, width: number, height: number, kind: string) =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${width.toFixed(1)}" height="${height}" rx="2"/>`

const text = (x: number, y: number, words: string, kind: string, anchor: 'start' | 'end') =>
  `<text${kind === '' ? '' : ` class="${kind}"`} x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${words}</text>`
