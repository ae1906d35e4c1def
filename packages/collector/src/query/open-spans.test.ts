import { expect, it } from 'vitest'
import type { OpenSpan } from '../model/open-span.ts'
import { askOpenSpans, REPORTED_AFTER_MS } from './open-spans.ts'

const never = new AbortController().signal

function span(trace: string, spanId: string): OpenSpan {
  return {
    ...{ traceId: trace.repeat(32), spanId, service: 'shop', instance: 'i', name: 'GET' },
    ...{ kind: 'server', startUnixMs: 1, reportedUnixMs: 2, eventLoopBlockedMs: 0 }
  }
}

it('says what is stored of each, and asks for each trace once', async () => {
  const asked: unknown[] = []
  const store = {
    async findLongSpans(traceIds: readonly string[], durationMsMin: number) {
      asked.push(traceIds, durationMsMin)
      return new Map([['a'.repeat(32), new Set(['1'])]])
    }
  }
  const { spans } = await askOpenSpans(
    store,
    [span('a', '1'), span('a', '2'), span('b', '1')],
    never
  )

  expect(spans.map(({ stored }) => stored)).toEqual(['span', 'trace', 'none'])
  expect(spans[2]).toEqual({ ...span('b', '1'), stored: 'none' })
  expect(asked).toEqual([['a'.repeat(32), 'b'.repeat(32)], REPORTED_AFTER_MS])
})

it('asks nothing when nothing is open', async () => {
  const store = { findLongSpans: () => Promise.reject(new Error('was asked')) }
  expect(await askOpenSpans(store, [], never)).toEqual({ spans: [] })
})

it('says what is open when the store does not answer, and nothing to who has gone', async () => {
  const store = { findLongSpans: () => Promise.reject(new Error('busy')) }
  expect(await askOpenSpans(store, [span('a', '1')], never)).toEqual({ spans: [span('a', '1')] })
  await expect(askOpenSpans(store, [span('a', '1')], AbortSignal.abort())).rejects.toThrow('abort')
})
