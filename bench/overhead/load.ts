/** The load generator, a process of its own: autocannon, one order at a time over the IPC channel. */
import { createRequire } from 'node:module'
import { createHistogram } from 'node:perf_hooks'
import type { LoadOrder, LoadResult } from './processes.ts'

interface Run extends PromiseLike<{ readonly errors: number }> {
  on(
    event: 'response',
    listener: (client: unknown, status: number, bytes: number, ms: number) => void
  ): void
}
interface Options {
  readonly url: string
  readonly connections: number
  readonly amount: number
  readonly sampleInt: number
}
type Autocannon = (options: Options) => Run

/** autocannon sees that it has finished when it takes a sample. */
const SAMPLE_MS = 50

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon

process.on('message', (order: LoadOrder) => {
  void fire(order).then((result) => process.send!(result))
})
process.on('disconnect', () => process.exit())
process.send!('ready')

/** autocannon's own histogram counts whole milliseconds, and a hello takes less than a few. */
async function fire({ url, connections, requests }: LoadOrder): Promise<LoadResult> {
  const latencies = createHistogram()
  let completed = 0
  let last = 0
  const begin = performance.now()
  const run = autocannon({ url, connections, amount: requests, sampleInt: SAMPLE_MS })
  run.on('response', (_client, status, _bytes, ms) => {
    if (status !== 200) throw new Error(`${url} answered ${status}`)
    completed++
    last = performance.now()
    latencies.record(Math.max(1, Math.round(ms * 1_000)))
  })
  const { errors } = await run
  if (errors > 0 || completed !== requests) {
    throw new Error(`Of ${requests} requests to ${url} ${completed} completed, ${errors} failed.`)
  }
  return {
    requestsPerSecond: (requests * 1_000) / (last - begin),
    p99Ms: latencies.percentile(99) / 1_000
  }
}
