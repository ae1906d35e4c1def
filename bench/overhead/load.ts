/** The load generator, a process of its own: autocannon, one order at a time over the IPC channel. */
import { createRequire } from 'node:module'
import { createHistogram } from 'node:perf_hooks'
import type { LoadOrder, LoadResult } from './processes.ts'

interface Run extends PromiseLike<{ readonly errors: number; readonly duration: number }> {
  on(
    event: 'response',
    listener: (client: unknown, status: number, bytes: number, ms: number) => void
  ): void
}
type Autocannon = (options: { url: string; connections: number; duration: number }) => Run

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon

process.on('message', (order: LoadOrder) => {
  void fire(order).then((result) => process.send!(result))
})
process.on('disconnect', () => process.exit())
process.send!('ready')

/** autocannon's own histogram counts whole milliseconds, and a hello takes less than a few. */
async function fire({ url, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const latencies = createHistogram()
  let requests = 0
  const run = autocannon({ url, connections, duration: seconds })
  run.on('response', (_client, status, _bytes, ms) => {
    if (status !== 200) throw new Error(`${url} answered ${status}`)
    requests++
    latencies.record(Math.max(1, Math.round(ms * 1_000)))
  })
  const { errors, duration } = await run
  if (errors > 0) throw new Error(`${errors} requests to ${url} failed`)
  return {
    requests,
    requestsPerSecond: requests / duration,
    p99Ms: latencies.percentile(99) / 1_000
  }
}
