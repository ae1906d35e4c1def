/**
 * Where a tracer's microseconds go: the app under load with V8's CPU profiler, first bare, then traced.
 *
 *   npm run -s bench:profile -- --app express            at the root; --tracer, --requests, --top, --modules
 *
 * Three tables, all in microseconds a request: the frames of the tracer itself and of the runtime's
 * channels and contexts, by self time; the same by total time, everything they call included, which shows
 * what a hook costs with what it makes the runtime do; and by package, what grew against the bare app:
 * garbage collection, closures in the way of others, code that was optimised worse.
 *
 * Only samples of the load after the warm-up count: all processes of a machine share the monotonic clock.
 * The profiler itself costs a few percent, so the sums are somewhat above those of bench:overhead; and it
 * measures by the wall, so on a busy machine calls into the system (writeUtf8String) seem to grow.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { APP_NAMES, App, type AppName, Helpers } from './processes.ts'
import { CONNECTIONS, REQUESTS } from './run.ts'
import { type Modules, TRACER_NAMES, type TracerName } from './tracers.ts'

const INTERVAL_MICROS = 200

const { values: options } = parseArgs({
  options: {
    app: { type: 'string', default: 'express' },
    tracer: { type: 'string', default: 'own' },
    modules: { type: 'string', default: 'esm' },
    requests: { type: 'string' },
    top: { type: 'string', default: '30' }
  }
})
const app = options.app as AppName
const tracer = options.tracer as TracerName
const top = Number(options.top)
if (!APP_NAMES.includes(app)) throw new Error(`--app is one of ${APP_NAMES.join()}.`)
if (!TRACER_NAMES.includes(tracer)) throw new Error(`--tracer is one of ${TRACER_NAMES.join()}.`)

/** Three times those of a run of bench:overhead: a profile is of samples. */
const requests = Number(options.requests ?? REQUESTS[app].load * 3)

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  /** Microseconds of the monotonic clock. */
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** Microseconds a request. */
interface Costs {
  readonly self: Map<string, number>
  readonly total: Map<string, number>
  readonly byPackage: Map<string, number>
  readonly cpuMicros: number
  /** Of these, not in the main thread: the sending thread, V8's helpers. */
  readonly otherThreadsMicros: number
}

const helpers = await new Helpers().start()
try {
  const bare = await profiled('bare')
  const traced = await profiled(tracer)
  const added = traced.cpuMicros - bare.cpuMicros
  const grownOthers = traced.otherThreadsMicros - bare.otherThreadsMicros
  console.log(
    `${app}: ${bare.cpuMicros.toFixed(1)} µs a request bare, ${traced.cpuMicros.toFixed(1)} under ` +
      `${tracer}: +${added.toFixed(1)}, of it +${grownOthers.toFixed(1)} in other threads ` +
      '(the sending one, V8’s)'
  )
  table('Self, of the tracer and of channels and contexts', traced.self)
  table('Total, with what they call', traced.total)
  table('Self by package, more than bare', grown(traced.byPackage, bare.byPackage))
} finally {
  helpers.stop()
}

async function profiled(name: TracerName): Promise<Costs> {
  const folder = mkdtempSync(join(tmpdir(), 'spanloom-profile-'))
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_MICROS}`]
  try {
    const running = await App.start(helpers, app, name, options.modules as Modules, flags)
    const order = { url: running.url, connections: CONNECTIONS }
    await helpers.load({ ...order, requests: REQUESTS[app].warmUp })
    const before = await running.usage()
    const from = microsNow()
    await helpers.load({ ...order, requests })
    const until = microsNow()
    const after = await running.usage()
    await running.stop()
    const profiles = readdirSync(folder).map((file) => {
      return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
    })
    // A thread's profile of its own, where there is one, is the smaller.
    const main = profiles.toSorted((a, b) => b.nodes.length - a.nodes.length)[0]!
    const cpuMicros = (after.cpuMicros - before.cpuMicros) / requests
    const mainMicros = (after.mainThreadMicros - before.mainThreadMicros) / requests
    return {
      ...spent(main, from, until),
      cpuMicros,
      otherThreadsMicros: cpuMicros - mainMicros
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function microsNow(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}

function spent(profile: Profile, from: number, until: number) {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const parents = new Map<number, number>()
  for (const { id, children } of profile.nodes)
    for (const each of children ?? []) parents.set(each, id)
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  const byPackage = new Map<string, number>()
  let now = profile.startTime
  for (const [index, node] of profile.samples.entries()) {
    now += profile.timeDeltas[index]!
    if (now < from || now > until) continue
    // A sample stands for the time up to the next one.
    const micros = Math.max(0, profile.timeDeltas[index + 1] ?? 0) / requests
    const frame = frames.get(node)!
    if (frame.functionName === '(idle)' || frame.functionName === '(program)') continue
    add(byPackage, packageOf(frame), micros)
    if (isWatched(frame)) add(self, nameOf(frame), micros)
    const seen = new Set<string>()
    for (let at: number | undefined = node; at !== undefined; at = parents.get(at)) {
      const each = frames.get(at)!
      if (isWatched(each)) seen.add(nameOf(each))
    }
    for (const each of seen) add(total, each, micros)
  }
  return { self, total, byPackage }
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros)
}

function isWatched({ url }: CallFrame): boolean {
  return /packages\/(tracer|otlp)\/dist\/|^node:.*(diagnostics_channel|async_)|@opentelemetry\/|dd-trace\//.test(
    url
  )
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.replace(/^.*\/(packages|node_modules)\//, '')
  return `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}`
}

function packageOf({ functionName, url }: CallFrame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName}`
  if (url.startsWith('node:')) return url
  return /.*\/(?:node_modules|packages)\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? 'the app'
}

function grown(traced: Map<string, number>, bare: Map<string, number>): Map<string, number> {
  return new Map([...traced].map(([key, micros]) => [key, micros - (bare.get(key) ?? 0)]))
}

function table(title: string, sums: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`)
  for (const [name, micros] of [...sums].toSorted((a, b) => b[1] - a[1]).slice(0, top)) {
    if (micros >= 0.01) console.log(`${micros.toFixed(2).padStart(8)}  ${name}`)
  }
}
