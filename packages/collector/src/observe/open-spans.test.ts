import { expect, it } from 'vitest'
import type { OpenSpan } from '../model/open-span.ts'
import { OpenSpans, SHOWN_MS, SPANS_MAX } from './open-spans.ts'

function span(spanId: string): OpenSpan {
  return {
    ...{ traceId: 'ab'.repeat(16), spanId, service: 'shop', instance: 'i', name: 'GET' },
    ...{ kind: 'server', startUnixMs: 1, reportedUnixMs: 2, eventLoopBlockedMs: 0 }
  }
}

function ids(open: OpenSpans): string[] {
  return open.list().map(({ spanId }) => spanId)
}

it('newest first, each span once', () => {
  const open = new OpenSpans(() => 0)
  open.take([span('a'), span('b')])
  open.take([span('a')])
  expect(ids(open)).toEqual(['a', 'b'])
})

it('the last that has room is held, the next displaces the oldest, and is counted', () => {
  const open = new OpenSpans(() => 0)
  open.take(Array.from({ length: SPANS_MAX }, (_, index) => span(`${index}`)))
  expect(open.list()).toHaveLength(SPANS_MAX)
  expect(open.displaced).toBe(0)
  open.take([span('one more')])
  expect(open.list()).toHaveLength(SPANS_MAX)
  expect(open.displaced).toBe(1)
  expect(ids(open)).not.toContain('0')
})

it('a report is shown for ten minutes', () => {
  const time = { unixMs: 0 }
  const open = new OpenSpans(() => time.unixMs)
  open.take([span('a')])
  time.unixMs = SHOWN_MS
  expect(ids(open)).toEqual(['a'])
  time.unixMs = SHOWN_MS + 1
  expect(ids(open)).toEqual([])
})
