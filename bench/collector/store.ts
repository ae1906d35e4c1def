/**
 * What the store costs: rows from kept traces, rows into the embedded engine, and questions on what
 * is there. `npm run -s collector:store`, `-- --json` for machines. About a minute.
 *
 * The load: traces of 12 spans over four services, eight attributes a span, random ids; batches of
 * 12,000 spans, 50 of them. Wall time, on whatever else the machine does: read the ratios.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '../../packages/collector/src/store/chdb/chdb-store.ts'
import { createRowBinaryEncoder } from '../../packages/collector/src/store/clickhouse/encoder.ts'
import { keptTrace, spanIdOf } from '../../packages/collector/src/store/kept-trace.testkit.ts'

const BATCHES = 50
const TRACES_PER_BATCH = 1_000
const SPANS_PER_TRACE = 12
const QUESTIONS = 200
const signal: AbortSignal = new AbortController().signal

const dataDir = await mkdtemp(join(tmpdir(), 'spanloom-bench-'))
const startUnixMs = Date.now() - 600_000
const store = createChdbStore({ dataDir, retentionHours: 72, nowUnixMs: Date.now })
const rows: { readonly name: string; readonly value: number; readonly unit: string }[] = []

await store.open(signal)
add('engine, idle', await engineMegabytes(), 'MB')
const traceIds = await writeAll()
add('engine, after writing', await engineMegabytes(), 'MB')
add('on disk', (await bytesIn(dataDir)) / (BATCHES * TRACES_PER_BATCH * SPANS_PER_TRACE), 'B/span')
await ask('trace by id', (turn) => {
  const traceId = traceIds[Math.floor((turn / QUESTIONS) * traceIds.length)]!
  return store.getTrace(traceId, 10_000, signal)
})
const window = { fromUnixMs: startUnixMs - 1, toUnixMs: Date.now() }
const some = { ...window, attributes: [], limit: 20 }
await ask('newest traces', () => store.findTraces(some, signal))
await ask('traces by service, operation, duration', () =>
  store.findTraces({ ...some, service: 'service-1', operation: 'GET /1', minDurationMs: 4 }, signal)
)
const attributes = [{ key: 'enduser.id', value: 'user-123' }]
await ask('traces by attribute', () => store.findTraces({ ...some, attributes }, signal))
await store.close()
await rm(dataDir, { recursive: true })
print()

async function writeAll(): Promise<readonly string[]> {
  const ids: string[] = []
  const templates = Array.from({ length: TRACES_PER_BATCH }, (_, index) => traceOf(index))
  const encoder = createRowBinaryEncoder()
  let encodeMs = 0
  let writeMs = 0
  for (let number = 0; number < BATCHES; number++) {
    const encodeFrom = performance.now()
    for (const template of templates) {
      const traceId = randomBytes(16).toString('hex')
      ids.push(traceId)
      encoder.addTrace({ ...template, traceId })
    }
    const tables = encoder.take(Date.now())
    const writeFrom = performance.now()
    const spanCount = TRACES_PER_BATCH * SPANS_PER_TRACE
    const place = { token: `bench:${number}`, shard: 0, position: number, part: 0 }
    await store.write({ ...place, spanCount, traceCount: TRACES_PER_BATCH, tables }, signal)
    encodeMs += writeFrom - encodeFrom
    writeMs += performance.now() - writeFrom
  }
  const spans = BATCHES * TRACES_PER_BATCH * SPANS_PER_TRACE
  add('encode', spans / (encodeMs / 1000), 'spans/s')
  add('insert', spans / (writeMs / 1000), 'spans/s')
  return ids
}

function traceOf(index: number) {
  const spans = Array.from({ length: SPANS_PER_TRACE }, (_, span) => ({
    spanId: spanIdOf(index * SPANS_PER_TRACE + span + 1),
    ...(span === 0 ? {} : { parentSpanId: spanIdOf(index * SPANS_PER_TRACE + 1) }),
    service: `service-${span % 4}`,
    name: `GET /${span % 3}`,
    kind: span % 2 === 0 ? 2 : 3,
    durationNano: 1_000_000 + ((index * 7_919 + span * 104_729) % 9_000_000),
    attributes: {
      'http.request.method': 'GET',
      'http.route': `/items/:id/${span}`,
      'http.response.status_code': 200n,
      'url.path': `/items/${index}/${span}`,
      'server.address': `service-${span % 4}.internal`,
      'server.port': 8080n,
      'user_agent.original': 'bench/1.0 (a client with a name of some length)',
      'enduser.id': `user-${index}`
    }
  }))
  const startUnixNano = BigInt(startUnixMs + index * 10) * 1_000_000n
  return keptTrace({ traceId: '0'.repeat(32), startUnixNano, spans })
}

async function ask(name: string, question: (turn: number) => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let turn = 0; turn < QUESTIONS; turn++) {
    const from = performance.now()
    await question(turn)
    times.push(performance.now() - from)
  }
  times.sort((a, b) => a - b)
  add(`${name}, p50`, times[QUESTIONS >> 1]!, 'ms')
  add(`${name}, p95`, times[Math.floor(QUESTIONS * 0.95)]!, 'ms')
}

/** 0 where there is no /proc. */
async function engineMegabytes(): Promise<number> {
  const status = await readFile(`/proc/${store.enginePid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

async function bytesIn(dir: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    // A merge may take a file away meanwhile.
    const found = entry.isFile() && (await stat(join(entry.parentPath, entry.name)).catch(() => {}))
    if (found) bytes += found.size
  }
  return bytes
}

function add(name: string, value: number, unit: string): void {
  rows.push({ name, value: Number(value.toPrecision(3)), unit })
}

function print(): void {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ title: 'Store', node: process.version, rows }))
    return
  }
  console.log(
    `Store, ${BATCHES * TRACES_PER_BATCH * SPANS_PER_TRACE} spans (Node ${process.version})`
  )
  for (const { name, value, unit } of rows) {
    console.log(`  ${name.padEnd(46)}${value.toLocaleString('en').padStart(10)} ${unit}`)
  }
}
