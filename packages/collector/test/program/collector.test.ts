/** The collector as a library, with a store that the test controls. */
import { deepStrictEqual, match, rejects, strictEqual } from 'node:assert'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StatusResponse } from '@spanloom/query-api'
import { afterEach, beforeEach, describe, it } from 'vitest'
import {
  type Adapters,
  type Collector,
  CollectorError,
  configWith,
  createCollector
} from '../../src/collector.ts'
import { eventually } from '../../src/lib/clock.testkit.ts'
import { tracesPayload } from '../../src/receive/payloads.testkit.ts'

let dataDir = ''
let running: Collector | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanloom-collector-'))
})

afterEach(async () => {
  await running?.stop()
  running = undefined
  await rm(dataDir, { recursive: true })
})

const config = () =>
  configWith({
    common: { dataDir, otlpPort: 0, uiPort: 0 },
    pipeline: { tickIntervalMs: 20 },
    stitch: { settledIdleMs: 100 }
  })

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** Takes batches while it is up; knows nothing else. */
function makeStore() {
  const state = { isUp: true, tokens: [] as string[], openings: 0 }
  const store = {
    open: async () => {
      state.openings++
    },
    write: async (batch: { token: string }) => {
      if (!state.isUp) throw new CollectorError('STORE_UNAVAILABLE', ['it is away'])
      state.tokens.push(batch.token)
    },
    count: async () => ({ spans: state.tokens.length, traces: 0 }),
    close: async () => {}
  }
  return { state, createStore: () => store as unknown as ReturnType<Adapters['createStore']> }
}

function post(otlpUrl: string, trace: number) {
  return fetch(`${otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: tracesPayload('shop', [{ trace, span: 1 }])
  })
}

async function status(uiUrl: string): Promise<StatusResponse> {
  return (await (await fetch(`${uiUrl}/api/status`)).json()) as StatusResponse
}

describe('the collector', () => {
  it('accepts and counts while the store is away, and stores once it is back', async () => {
    const { state, createStore } = makeStore()
    running = createCollector(config(), { createStore, log: quiet })
    const { otlpUrl, uiUrl } = await running.start()
    state.isUp = false
    for (let trace = 1; trace <= 20; trace++) strictEqual((await post(otlpUrl, trace)).status, 200)
    strictEqual((await post(otlpUrl, 0)).status, 200)
    strictEqual((await fetch(`${otlpUrl}/v1development/profiles`, { method: 'POST' })).status, 404)
    let now = await status(uiUrl)
    while (now.spans.accepted < 20) now = await status(uiUrl)
    deepStrictEqual(now.spans, { accepted: 20, duplicate: 0, late: 0, stored: 0, dropped: 0 })
    deepStrictEqual(now.payloads, { accepted: 20, rejected: 1 })
    state.isUp = true
    await eventually(() => state.tokens.length > 0)
    const metrics = await (await fetch(`${uiUrl}/metrics`)).text()
    match(
      metrics,
      /^spanloom_payloads_rejected(_total)?\{reason="RECEIVE_SIGNAL_UNSUPPORTED"\} 1$/m
    )
    match(metrics, /^spanloom_spans_rejected(_total)? 1$/m)
  })

  it('keeps what the store would not take for the next start, with the same tokens', async () => {
    const first = makeStore()
    first.state.isUp = false
    running = createCollector(config(), { createStore: first.createStore, log: quiet })
    const { otlpUrl } = await running.start()
    strictEqual((await post(otlpUrl, 1)).status, 200)
    await running.stop()
    deepStrictEqual(first.state.tokens, [])

    const second = makeStore()
    running = createCollector(config(), { createStore: second.createStore, log: quiet })
    const { uiUrl } = await running.start()
    await eventually(() => second.state.tokens.length > 0)
    strictEqual((await status(uiUrl)).spans.accepted, 1)
  })

  it('ends a start that is stopped in the middle, and leaves nothing behind', async () => {
    const { createStore } = makeStore()
    const store = createStore()
    let opening = false
    const open = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        opening = true
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    running = createCollector(config(), {
      createStore: () => ({ ...store, open }) as never,
      log: quiet
    })
    const started = rejects(running.start(), { code: 'PIPELINE_NOT_OPEN' })
    await eventually(() => opening)
    await running.stop()
    await started
    strictEqual((await readdir(dataDir)).includes('collector.lock'), false)
  })

  it('says so when a shard dies, and repeats at the next start', async () => {
    const { createStore } = makeStore()
    const threads: Array<{ terminate(): Promise<unknown> }> = []
    const { Worker } = await import('node:worker_threads')
    running = createCollector(config(), {
      createStore,
      log: quiet,
      spawnShard(workerData) {
        const file = new URL('../../src/pipeline/shard-worker.ts', import.meta.url)
        const thread = new Worker(file, { workerData })
        threads.push(thread)
        return thread
      }
    })
    const { otlpUrl } = await running.start()
    strictEqual((await post(otlpUrl, 1)).status, 200)
    await threads[0]?.terminate()
    strictEqual((await running.failed).code, 'PIPELINE_SHARD_DIED')
    await running.stop()
    running = createCollector(config(), { createStore, log: quiet })
    const { uiUrl } = await running.start()
    let now = await status(uiUrl)
    while (now.spans.accepted < 1) now = await status(uiUrl)
    strictEqual(now.spans.accepted, 1)
  })
})
