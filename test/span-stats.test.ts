/**
 * The promise at 10 % head sampling: what the apps counted themselves is what /metrics says, exactly,
 * through answers that get lost, payloads that come twice and a kill -9 in the middle.
 *
 *   two apps (count by themselves) ─ spans, metrics ─→ lossy proxy ─→ collector (killed once)
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ServicesResponse, StatusResponse } from '@spanloom/query-api'
import { expect, it } from 'vitest'
import { freePort, startCollector } from './lib/collector-process.ts'
import { waitFor } from './lib/wait-for.ts'
import { scrapeMetrics } from './truth/exemplars.ts'
import { startLossyProxy } from './truth/lossy-proxy.ts'
import { seededRandom } from './truth/seeded-random.ts'

const APP = fileURLToPath(new URL('./span-stats/app.mjs', import.meta.url))
const PHASE_MS = 4_000
const DOWN_MS = 1_000
/** Replays come 5 s after their first delivery. */
const SETTLE_MS_MAX = 60_000

interface Counts {
  readonly served: number
  readonly failed: number
  readonly called: number
  readonly calledFailed: number
  readonly jobs: number
}

function startApp(otlpUrl: string) {
  const child = fork(APP, {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      OTEL_SERVICE_NAME: 'counted',
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
      SPANLOOM_EXIT_WAIT: '20000'
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return { child, stderr: () => stderr }
}

async function stopApp(child: ChildProcess): Promise<Counts> {
  const counts = once(child, 'message') as Promise<[Counts]>
  const ended = once(child, 'exit')
  child.send({ stop: true })
  const [[counted]] = await Promise.all([counts, ended])
  return counted
}

/** Calls by span name, kind and status. */
async function callsShown(uiUrl: string): Promise<Record<string, number>> {
  const calls: Record<string, number> = {}
  for (const { name, labels, value } of await scrapeMetrics(uiUrl)) {
    if (name !== 'traces_span_metrics_calls_total') continue
    const { span_name, span_kind, status_code } = labels
    calls[`${span_name} ${span_kind} ${status_code}`] = value
  }
  return calls
}

async function ask<Answer>(uiUrl: string, path: string): Promise<Answer> {
  const response = await fetch(uiUrl + path)
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as Answer
}

async function selfMetric(uiUrl: string, wanted: string): Promise<number> {
  const samples = await scrapeMetrics(uiUrl)
  return samples.find(({ name }) => name === wanted)?.value ?? Number.NaN
}

it('counts every call at 10 % sampling, through duplicates and a kill -9', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanloom-stats-'))
  const place = { dataDir, otlpPort: await freePort(), uiPort: await freePort() }
  let collector = await startCollector(place)
  const proxy = await startLossyProxy(collector.otlpUrl, seededRandom(7))
  const apps = [startApp(proxy.url), startApp(proxy.url)]
  try {
    await wait(PHASE_MS)
    await collector.kill()
    await wait(DOWN_MS)
    collector = await startCollector(place)
    await wait(PHASE_MS)
    proxy.faulty = false
    await waitFor('all is replayed', SETTLE_MS_MAX, () =>
      proxy.pending() === 0 ? true : undefined
    )
    const counted = await Promise.all(apps.map(({ child }) => stopApp(child)))
    const total = (name: keyof Counts) => counted.reduce((sum, one) => sum + one[name], 0)

    const expected = {
      'GET SPAN_KIND_SERVER STATUS_CODE_UNSET': total('served') - total('failed'),
      'GET SPAN_KIND_SERVER STATUS_CODE_ERROR': total('failed'),
      'GET SPAN_KIND_CLIENT STATUS_CODE_UNSET': total('called') - total('calledFailed'),
      'GET SPAN_KIND_CLIENT STATUS_CODE_ERROR': total('calledFailed'),
      'job SPAN_KIND_INTERNAL STATUS_CODE_UNSET': total('jobs')
    }
    let shown: Record<string, number> = {}
    await waitFor('the counts are equal', 15_000, async () => {
      shown = await callsShown(collector.uiUrl)
      return JSON.stringify(sorted(shown)) === JSON.stringify(sorted(expected)) ? true : undefined
    }).catch(() => {})
    expect(shown).toEqual(expected)
    // They stay what they are: what is counted twice may come late.
    await wait(2_000)
    expect(await callsShown(collector.uiUrl)).toEqual(expected)

    const calls = Object.values(expected).reduce((sum, value) => sum + value, 0)
    expect(await selfMetric(collector.uiUrl, 'spanloom_calls_precounted_total')).toBe(calls)
    expect(await selfMetric(collector.uiUrl, 'spanloom_deltas_duplicate_total')).toBeGreaterThan(0)
    const { spans } = await ask<StatusResponse>(collector.uiUrl, '/api/status')
    expect(spans.accepted).toBeGreaterThan(calls * 0.05)
    expect(spans.accepted).toBeLessThan(calls * 0.2)
    expect(proxy.counts().unreachable).toBeGreaterThan(0)
    const { services } = await ask<ServicesResponse>(collector.uiUrl, '/api/services')
    expect(services.map(({ calls, errors }) => [calls, errors])).toEqual([
      [total('served'), total('failed')]
    ])
    for (const { stderr } of apps) expect(stderr()).not.toMatch(/DROPPED|FAULT|EXIT/)
  } finally {
    for (const { child } of apps) if (child.exitCode === null) child.kill('SIGKILL')
    await proxy.close()
    await collector.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
})

function sorted(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1))
}
