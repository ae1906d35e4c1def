/**
 * Puts a report into the page on cost: `npm run -s bench:overhead -- --json > report.json`, then
 * `node bench/overhead/cost-page.ts report.json`. What stands between the page's two marks is written anew,
 * and the picture beside it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { costChart } from './cost-chart.ts'
import type { AppName } from './processes.ts'
import type { Report } from './report.ts'
import type { TracerName } from './tracers.ts'

const PAGE = fileURLToPath(new URL('../../packages/tracer/docs/cost.md', import.meta.url))
const PICTURE = fileURLToPath(
  new URL('../../packages/tracer/docs/images/cost.svg', import.meta.url)
)
const MARKED = /(<!-- report -->\n)[\s\S]*(<!-- end of report -->)/

const APPS: Readonly<Record<AppName, string>> = {
  nodeHttp: '`node:http`',
  express: 'Express, 3 middlewares',
  fastify: 'Fastify',
  expressFetchPg: 'Express, fetch, pg'
}
const RATIOS = ['cpuVsDd', 'cpuVsOtel', 'rssVsDd', 'startVsDd'] as const

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('Name the file that has the report.')
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
const page = readFileSync(PAGE, 'utf8')
if (!MARKED.test(page)) throw new Error(`${PAGE} has no marks to write between.`)
writeFileSync(
  PAGE,
  page.replace(MARKED, (_all, begin: string, end: string) => begin + shown(report) + end)
)

mkdirSync(dirname(PICTURE), { recursive: true })
writeFileSync(PICTURE, costChart(report))

function shown({ facts, node, versions, apps, spanMicros, ...ratios }: Report): string {
  const names: Readonly<Record<TracerName, string>> = {
    own: 'Spanloom',
    dd: `dd-trace ${versions['dd-trace']}`,
    otel: `OpenTelemetry ${versions['@opentelemetry/auto-instrumentations-node']}`,
    bare: '_none_'
  }
  const lines = [
    '',
    `Medians of ${facts.rounds} rounds on two cores, Node ${node.slice(1)}. CPU, memory and start are what each adds to the bare app.`,
    '',
    '| app | tracer | CPU µs a request | RSS MB | start ms | p99 ms | requests/s |',
    '| --- | --- | --- | --- | --- | --- | --- |'
  ]
  for (const [app, rows] of Object.entries(apps)) {
    let title = APPS[app as AppName]
    for (const tracer of ['own', 'dd', 'otel', 'bare'] as const) {
      const row = rows[tracer]
      if (row === undefined) continue
      const { added, p99Ms, requestsPerSecond } = row
      const adds = added && [added.cpuMicros.median, added.rssMb.median, added.startMs]
      const cells = [...(adds ?? ['', '', '']), p99Ms.median, requestsPerSecond.median]
      lines.push(`| ${[title, names[tracer], ...cells].join(' | ')} |`)
      title = ''
    }
  }
  lines.push(
    '',
    'What ours adds over what theirs adds, and what must hold:',
    '',
    `| | at most | ${Object.values(APPS).join(' | ')} |`,
    `| --- | --- | ${Object.keys(APPS)
      .map(() => '---')
      .join(' | ')} |`
  )
  for (const name of RATIOS) {
    const each = Object.keys(APPS).map((app) => ratios[name][app as AppName] ?? '')
    lines.push(`| ${name} | ${ratios.targets[name]} | ${each.join(' | ')} |`)
  }
  lines.push(
    '',
    `A span by itself (ten attributes, encoded to OTLP): ${spanMicros?.own} µs of the app's thread, ` +
      `${spanMicros?.otel} with OpenTelemetry's SDK: ${ratios.spanVsOtel}, to be ${ratios.targets.spanVsOtel}.`,
    ratios.missed.length === 0 ? 'All hold.' : `Missed: ${ratios.missed.join(', ')}.`,
    ''
  )
  return lines.join('\n')
}
