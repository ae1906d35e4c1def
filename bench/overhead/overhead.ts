/**
 * What a tracer adds to an app: CPU for each request, memory, time to start, latency. Own, dd-trace and
 * OpenTelemetry's auto-instrumentations, each against the bare app, on four apps.
 *
 *   npm run -s bench:overhead -- --json         at the root; about 12 minutes, --quick for 4
 *   … --apps express --tracers bare,own         only these
 *
 * A round runs every app under every tracer once. The four runs of an app follow one another, and what is
 * added is the difference to the bare run of the same round, so that a busy quarter of an hour meets all of
 * them alike. Orders turn from round to round; the median over the rounds counts. Each run must deliver
 * its spans (see run.ts). The price of a span alone is measured in the same go (see spans.ts).
 */
import { parseArgs } from 'node:util'
import { APP_NAMES, App, type AppName, Helpers, type Start } from './processes.ts'
import { jsonReport, tableReport } from './report.ts'
import { CONNECTIONS, type Run, runOnce } from './run.ts'
import { measureSpans } from './spans.ts'
import { rotated } from './statistics.ts'
import { type Modules, TRACER_NAMES, type TracerName } from './tracers.ts'

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    apps: { type: 'string', default: APP_NAMES.join() },
    tracers: { type: 'string', default: TRACER_NAMES.join() },
    modules: { type: 'string', default: 'esm' }
  }
})

const apps = chosen<AppName>('--apps', options.apps, APP_NAMES)
const tracers = chosen<TracerName>('--tracers', options.tracers, TRACER_NAMES)
const [modules] = chosen<Modules>('--modules', options.modules, ['esm', 'commonjs'])
let rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
if (!tracers.includes('bare')) tracers.unshift('bare')
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number.')

const share = options.quick ? 0.5 : 1
/**
 * Starts beside those of the runs: they vary more than anything else. OpenTelemetry's are in no ratio and
 * take longest.
 */
const EXTRA_STARTS: Readonly<Record<TracerName, number>> = { bare: 4, own: 4, dd: 4, otel: 0 }
/** No round begins that would end after this, so that a busy machine too is done in 15 minutes. */
const ROUNDS_END_MS = 13.5 * 60_000

export interface Samples {
  readonly runs: Run[]
  readonly starts: Start[]
}

const helpers = await new Helpers().start()
try {
  const samples = await measureApps()
  const withSpans = tracers.includes('own') && tracers.includes('otel')
  const spanMicros = withSpans ? await measureSpans(helpers, options.quick ? 7 : 21) : undefined
  const facts = { modules: modules!, rounds, connections: CONNECTIONS }
  const report = jsonReport(facts, samples, spanMicros)
  console.log(options.json ? JSON.stringify(report) : tableReport(report))
} finally {
  helpers.stop()
}

async function measureApps(): Promise<Map<AppName, Map<TracerName, Samples>>> {
  const samples = new Map(
    apps.map((app) => [
      app,
      new Map(tracers.map((tracer) => [tracer, { runs: [], starts: [] } as Samples]))
    ])
  )
  const roundsMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const longestMs = Math.max(0, ...roundsMs)
    if (options.rounds === undefined && performance.now() + longestMs > ROUNDS_END_MS) {
      console.error(`Only ${round} rounds of ${rounds}: the machine is too busy for more.`)
      rounds = round
      break
    }
    const begin = performance.now()
    for (const app of rotated(apps, round)) await measureApp(app, round, samples.get(app)!)
    roundsMs.push(performance.now() - begin)
  }
  return samples
}

async function measureApp(
  app: AppName,
  round: number,
  samples: ReadonlyMap<TracerName, Samples>
): Promise<void> {
  for (let start = 0; start < Math.max(...Object.values(EXTRA_STARTS)); start++) {
    for (const tracer of rotated(tracers, round + start)) {
      if (start >= EXTRA_STARTS[tracer]) continue
      samples.get(tracer)!.starts.push(await startOnce(app, tracer))
    }
  }
  for (const tracer of rotated(tracers, round)) {
    const run = await runOrAgain(app, tracer)
    const { runs, starts } = samples.get(tracer)!
    runs.push(run)
    starts.push(run.start)
    console.error(
      `round ${round + 1}/${rounds}  ${app.padEnd(15)}${tracer.padEnd(5)}` +
        `${run.cpuMicros.toFixed(1).padStart(8)} µs a request`
    )
  }
}

async function startOnce(name: AppName, tracer: TracerName): Promise<Start> {
  const app = await App.start(helpers, name, tracer, modules!)
  await app.stop()
  return app.start
}

/** Once more, because a machine that is busy elsewhere may starve a tracer's exporter. */
async function runOrAgain(app: AppName, tracer: TracerName): Promise<Run> {
  try {
    return await runOnce(helpers, app, tracer, modules!, share)
  } catch (fault) {
    console.error(`${(fault as Error).message} Once more.`)
    return await runOnce(helpers, app, tracer, modules!, share)
  }
}

function chosen<Name extends string>(option: string, text: string, known: readonly Name[]): Name[] {
  const names = text.split(',') as Name[]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`${option}: "${unknown}" is none of ${known.join()}.`)
  return names
}
