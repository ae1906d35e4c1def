import { deepStrictEqual, strictEqual } from 'node:assert'
import { describe, it } from 'vitest'
import { TestClock } from '../lib/clock.testkit.ts'
import { createLog, escapeUnsafe } from './log.ts'
import { SelfMetrics } from './self-metrics.ts'

function logged(facts: Record<string, string | number | boolean | undefined>): string {
  let text = ''
  createLog(new TestClock(), (line) => {
    text += line
  }).warn('it happened', facts)
  return text
}

describe('the log', () => {
  it('is one line per event, with plain values as they are', () => {
    strictEqual(
      logged({ code: 'STORE_UNAVAILABLE', retryMs: 200, again: true, none: undefined }),
      '2023-11-14T22:13:25.000Z warn it happened code=STORE_UNAVAILABLE retryMs=200 again=true\n'
    )
  })

  it('quotes and escapes what could fake a line or drive a terminal', () => {
    const hostile = 'a b"\n2023 error fake\u001b[2J\u009b\u2028\u202e\ud800\\'
    strictEqual(
      logged({ name: hostile }).slice('2023-11-14T22:13:25.000Z warn it happened '.length),
      'name="a b\\"\\n2023 error fake\\u{1b}[2J\\u{9b}\\u{2028}\\u{202e}\\u{d800}\\\\"\n'
    )
    strictEqual(escapeUnsafe('naïve 日本 🙂'), 'naïve 日本 🙂')
  })

  it('cuts values that are too long', () => {
    strictEqual(logged({ name: 'x'.repeat(5_000) }).length < 1_100, true)
  })
})

describe('self metrics', () => {
  it('are all there from the start, those with labels once they are counted', () => {
    const metrics = new SelfMetrics()
    const byName = () => new Map(metrics.collect().map((metric) => [metric.name, metric]))
    deepStrictEqual(byName().get('spanloom_payloads_accepted')?.samples, [{ labels: {}, value: 0 }])
    deepStrictEqual(byName().get('spanloom_payloads_rejected')?.samples, [])
    metrics.add('spanloom_payloads_rejected', 2, 'http')
    metrics.add('spanloom_payloads_rejected', 3, 'aborted')
    metrics.addSource(() => metrics.set('spanloom_journal_bytes', 7))
    deepStrictEqual(byName().get('spanloom_payloads_rejected')?.samples, [
      { labels: { reason: 'http' }, value: 2 },
      { labels: { reason: 'aborted' }, value: 3 }
    ])
    deepStrictEqual(byName().get('spanloom_journal_bytes')?.samples, [{ labels: {}, value: 7 }])
    strictEqual(metrics.total('spanloom_payloads_rejected'), 5)
  })
})
