import { describe, expect, it } from 'vitest'
import { Deliveries } from './deliveries.ts'
import { noAnswer, type PostResult } from './delivery.ts'
import type { SendTarget, Signal } from './sender.ts'

const OK: PostResult = { status: 200, reason: '', retryAfterMs: undefined, rejectedSpans: 0 }

function target(url: string, more: Partial<SendTarget> = {}): SendTarget {
  return { url, headers: {}, timeoutMs: 1_000, compression: 'none', ...more }
}

/** Hosts that are called `down` do not answer, and are tried again until that is said. */
function harness(targets: Record<Signal, SendTarget>) {
  const said: unknown[][] = []
  const outages: boolean[] = []
  const posted: Signal[] = []
  const deliveries = new Deliveries(targets, {
    async post(_body, signal) {
      posted.push(signal)
      return targets[signal].url.includes('down') ? noAnswer('ECONNREFUSED') : OK
    },
    after: (_ms, then) => {
      if (said.length === 0) queueMicrotask(then)
      return () => {}
    },
    now: () => 0,
    random: () => 1,
    notify: (code, ...facts) => void said.push([code, ...facts]),
    queueBytesMax: 60,
    settled() {},
    outage: (down) => void outages.push(down)
  })
  return { deliveries, said, outages, posted }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('signals that go to several places', () => {
  const targets = {
    traces: target('http://up/v1/traces'),
    metrics: target('http://user:secret@down/v1/metrics'),
    logs: target('http://localhost/v1/logs', { socketPath: '/up.sock' })
  }

  it('do not wait for one that is down, which is named', async () => {
    const { deliveries, said, outages, posted } = harness(targets)
    deliveries.push(new Uint8Array(10), 0, 'metrics')
    await turn()
    deliveries.push(new Uint8Array(10), 1, 'traces')
    deliveries.push(new Uint8Array(10), 0, 'logs')
    await turn()
    expect(posted).toEqual(['metrics', 'metrics', 'metrics', 'traces', 'logs'])
    expect(said).toEqual([['SEND_UNREACHABLE', 'http://down/v1/metrics', 'ECONNREFUSED', 0]])
    expect(outages).toEqual([true])
  })

  it('share the bytes that may wait', async () => {
    const { deliveries, said } = harness(targets)
    deliveries.push(new Uint8Array(10), 0, 'metrics')
    await turn()
    deliveries.push(new Uint8Array(10), 0, 'metrics')
    deliveries.reportDropped()
    expect(said).toHaveLength(1)
    deliveries.push(new Uint8Array(1), 0, 'metrics')
    deliveries.reportDropped()
    expect(said[1]).toEqual(['SEND_DROPPED_PAYLOADS', 1, 'metrics', 'the queue was full'])
  })
})
