/**
 * From the runs to the figures. Ratios are of what is added, ours to theirs: `cpuVsDd.express` 0.1 says
 * that ours adds a tenth of the CPU that dd-trace adds to the same app. Beside them stands what must hold.
 */
import { createRequire } from 'node:module'
import type { AppName, Start } from './processes.ts'
import type { Run } from './run.ts'
import type { SpanMicros } from './spans.ts'
import { type Figure, figure, median } from './statistics.ts'
import type { TracerName } from './tracers.ts'

interface Samples {
  readonly runs: readonly Run[]
  readonly starts: readonly Start[]
}
type AllSamples = ReadonlyMap<AppName, ReadonlyMap<TracerName, Samples>>
type Ratios = Partial<Record<AppName, number>>

/** Of one app under one tracer; what is added is against the bare app. */
interface Row {
  readonly cpuMicros: Figure
  readonly rssMb: Figure
  readonly startMs: Figure
  readonly startCpuMs: Figure
  readonly p99Ms: Figure
  readonly requestsPerSecond: Figure
  readonly spansPerRequest: number
  readonly added?: {
    readonly cpuMicros: Figure
    readonly rssMb: Figure
    readonly startMs: number
    readonly startCpuMs: number
  }
}
type Rows = Partial<Record<AppName, Partial<Record<TracerName, Row>>>>

export const TARGETS = {
  cpuVsDd: 0.25,
  cpuVsOtel: 0.2,
  rssVsDd: 0.2,
  startVsDd: 0.35,
  spanVsOtel: 0.2
} as const

export interface Report {
  readonly cpuVsDd: Ratios
  readonly cpuVsOtel: Ratios
  readonly rssVsDd: Ratios
  readonly startVsDd: Ratios
  readonly spanMicros: { readonly own: number; readonly otel: number } | undefined
  readonly spanVsOtel: number | undefined
  readonly targets: typeof TARGETS
  /** Names of ratios that are beyond their target: `rssVsDd.express`. */
  readonly missed: readonly string[]
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string | number>>
  readonly apps: Rows
}

export function jsonReport(
  facts: Report['facts'],
  samples: AllSamples,
  spans: SpanMicros | undefined
): Report {
  const apps: Rows = {}
  for (const [app, byTracer] of samples) {
    apps[app] = {}
    for (const [tracer, each] of byTracer) apps[app][tracer] = row(each, byTracer.get('bare')!)
  }
  const spanMicros = spans && { own: median(spans.own), otel: median(spans.otel) }
  const ratios = {
    cpuVsDd: ratiosOf(apps, 'dd', (row) => row.added!.cpuMicros.median),
    cpuVsOtel: ratiosOf(apps, 'otel', (row) => row.added!.cpuMicros.median),
    rssVsDd: ratiosOf(apps, 'dd', (row) => row.added!.rssMb.median),
    startVsDd: ratiosOf(apps, 'dd', (row) => row.added!.startMs)
  }
  const spanVsOtel = spanMicros && rounded(spanMicros.own / spanMicros.otel)
  const missed = Object.entries(ratios).flatMap(([name, byApp]) =>
    Object.entries(byApp)
      .filter(([, ratio]) => !(ratio <= TARGETS[name as keyof typeof ratios]))
      .map(([app]) => `${name}.${app}`)
  )
  if (spanVsOtel !== undefined && !(spanVsOtel <= TARGETS.spanVsOtel)) missed.push('spanVsOtel')
  return {
    ...ratios,
    spanMicros: spanMicros && { own: rounded(spanMicros.own), otel: rounded(spanMicros.otel) },
    spanVsOtel,
    targets: TARGETS,
    missed,
    node: process.version,
    versions: versions(),
    facts,
    apps
  }
}

function row({ runs, starts }: Samples, bare: Samples): Row {
  const wall = (each: readonly Start[]) => each.map(({ wallMs }) => wallMs)
  const cpu = (each: readonly Start[]) => each.map(({ cpuMs }) => cpuMs)
  const own = {
    cpuMicros: figure(runs.map((run) => run.cpuMicros)),
    rssMb: figure(runs.map((run) => run.rssMb)),
    startMs: figure(wall(starts), 0),
    startCpuMs: figure(cpu(starts), 0),
    p99Ms: figure(
      runs.map((run) => run.p99Ms),
      2
    ),
    requestsPerSecond: figure(
      runs.map((run) => run.requestsPerSecond),
      0
    ),
    spansPerRequest: rounded(median(runs.map((run) => run.spans)))
  }
  if (runs === bare.runs) return own
  return {
    ...own,
    added: {
      cpuMicros: figure(runs.map((run, round) => run.cpuMicros - bare.runs[round]!.cpuMicros)),
      rssMb: figure(runs.map((run, round) => run.rssMb - bare.runs[round]!.rssMb)),
      startMs: Math.round(median(wall(starts)) - median(wall(bare.starts))),
      startCpuMs: Math.round(median(cpu(starts)) - median(cpu(bare.starts)))
    }
  }
}

function ratiosOf(apps: Rows, peer: TracerName, added: (row: Row) => number): Ratios {
  const ratios: Ratios = {}
  for (const [app, { own, [peer]: other }] of Object.entries(apps)) {
    if (own && other) ratios[app as AppName] = rounded(added(own) / added(other))
  }
  return ratios
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}

/** As bench/package.json pins them. */
function versions(): Record<string, string> {
  const { dependencies } = createRequire(import.meta.url)('../package.json') as {
    dependencies: Record<string, string>
  }
  const names = [
    'dd-trace',
    '@opentelemetry/auto-instrumentations-node',
    'express',
    'fastify',
    'pg'
  ]
  return Object.fromEntries(names.map((name) => [name, dependencies[name]!]))
}

export function tableReport(report: Report): string {
  const lines = [
    `What a tracer adds (Node ${report.node}, ${report.facts.modules}, ${report.facts.rounds} rounds, ` +
      `${report.facts.connections} connections). Medians; in brackets the outermost rounds.`,
    ''
  ]
  for (const [app, rows] of Object.entries(report.apps)) {
    lines.push(
      `${app.padEnd(16)}${'CPU µs/request'.padEnd(24)}${'RSS MB'.padEnd(20)}${'start ms (CPU)'.padEnd(16)}` +
        `${'p99 ms'.padEnd(9)}${'req/s'.padEnd(9)}spans/request`
    )
    for (const [tracer, row] of Object.entries(rows)) lines.push(tableRow(tracer, row))
    lines.push('')
  }
  for (const name of ['cpuVsDd', 'cpuVsOtel', 'rssVsDd', 'startVsDd'] as const) {
    const each = Object.entries(report[name]).map(([app, ratio]) => `${app} ${ratio.toFixed(2)}`)
    if (each.length === 0) continue
    lines.push(`${name.padEnd(12)}≤ ${report.targets[name].toFixed(2)}   ${each.join('   ')}`)
  }
  if (report.spanMicros) {
    const { own, otel } = report.spanMicros
    lines.push(
      `${'spanVsOtel'.padEnd(12)}≤ ${report.targets.spanVsOtel.toFixed(2)}   ` +
        `${report.spanVsOtel!.toFixed(2)}   (a span with 10 attributes, encoded: ${own} µs; OpenTelemetry's SDK ${otel} µs)`
    )
  }
  lines.push(report.missed.length === 0 ? 'All hold.' : `Missed: ${report.missed.join(', ')}.`)
  return lines.join('\n')
}

function tableRow(tracer: string, row: Row): string {
  const { added } = row
  const cpu = added?.cpuMicros ?? row.cpuMicros
  const rss = added?.rssMb ?? row.rssMb
  const sign = added ? '+' : ' '
  const start = `${sign}${added?.startMs ?? row.startMs.median} (${added?.startCpuMs ?? row.startCpuMs.median})`
  const spread = ({ median, min, max }: Figure) => `${sign}${median} (${min} … ${max})`
  return (
    `  ${tracer.padEnd(14)}${spread(cpu).padEnd(24)}${spread(rss).padEnd(20)}` +
    `${start.padEnd(16)}${String(row.p99Ms.median).padEnd(9)}` +
    `${String(row.requestsPerSecond.median).padEnd(9)}${row.spansPerRequest.toFixed(2)}`
  )
}
