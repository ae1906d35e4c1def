import { describe, expect, it } from 'vitest'
import type { NoticeCode } from '../notices.ts'
import { Delivery, noAnswer, type PostResult } from './delivery.ts'
import { retryAfterMs } from './http-post.ts'
import { parsePartialSuccess, parseStatusMessage } from './otlp-response.ts'

const OK: PostResult = { status: 200, reason: '', retryAfterMs: undefined, rejectedSpans: 0 }

/** Answers by hand, time by hand. */
function harness(queueBytesMax = 100) {
  const posted: Uint8Array[] = []
  const signals: string[] = []
  const answers: ((result: PostResult) => void)[] = []
  const waits: { ms: number; then: () => void; cancelled: boolean }[] = []
  const said: [NoticeCode, ...unknown[]][] = []
  const outages: boolean[] = []
  const settled: [number, boolean][] = []
  const clock = { ms: 0 }
  const delivery = new Delivery({
    post(body, signal) {
      posted.push(body)
      signals.push(signal)
      return new Promise((resolve) => answers.push(resolve))
    },
    after(ms, then) {
      const wait = { ms, then, cancelled: false }
      waits.push(wait)
      return () => {
        wait.cancelled = true
      }
    },
    random: () => 1,
    notify: (code, ...facts) => void said.push([code, ...facts]),
    addressOf: () => 'http://collector',
    now: () => clock.ms,
    queueBytesMax,
    settled: (count, delivered) => void settled.push([count, delivered]),
    outage: (down) => void outages.push(down)
  })
  async function answer(result: PostResult) {
    answers.shift()!(result)
    await Promise.resolve()
    await Promise.resolve()
  }
  return { clock, delivery, posted, signals, waits, said, outages, settled, answer }
}

const body = (size: number, fill = 1) => new Uint8Array(size).fill(fill)

describe('the delivery', () => {
  it('sends one at a time, in order', async () => {
    const { delivery, posted, answer, settled } = harness()
    delivery.push(body(10, 1), 1)
    delivery.push(body(10, 2), 2)
    expect(posted.map((each) => each[0])).toEqual([1])
    await answer(OK)
    expect(posted.map((each) => each[0])).toEqual([1, 2])
    await answer(OK)
    expect(settled).toEqual([
      [1, true],
      [2, true]
    ])
    expect(delivery.queuedBytes).toBe(0)
  })

  it('tries the same bytes again, later each time, and says so once', async () => {
    const { delivery, posted, waits, said, outages, answer } = harness()
    delivery.push(body(10), 4)
    for (let round = 0; round < 8; round++) {
      await answer(noAnswer('ECONNREFUSED'))
      waits.at(-1)!.then()
    }
    await answer(OK)
    expect(waits.map((wait) => wait.ms)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000])
    expect(posted).toHaveLength(9)
    expect(new Set(posted).size).toBe(1)
    expect(said).toEqual([['SEND_UNREACHABLE', 'http://collector', 'ECONNREFUSED', 0]])
    expect(outages).toEqual([true, false])
  })

  it('says nothing of a hiccup, and of an outage at the third try that fails', async () => {
    const { delivery, waits, said, outages, answer } = harness()
    delivery.push(body(10), 1)
    for (let round = 0; round < 2; round++) {
      await answer({ ...OK, status: 503, reason: 'Service Unavailable' })
      waits.at(-1)!.then()
    }
    await answer(OK)
    expect([said, outages]).toEqual([[], []])

    delivery.push(body(10), 1)
    for (let round = 0; round < 3; round++) {
      expect(said).toEqual([])
      await answer({ ...OK, status: 503, reason: 'Service Unavailable' })
      waits.at(-1)!.then()
    }
    expect(said).toEqual([['SEND_UNREACHABLE', 'http://collector', '503 Service Unavailable', 0]])
    expect(outages).toEqual([true])
  })

  it('says at once what shows that it lasts: a time-out, a long Retry-After', async () => {
    const slow = harness()
    slow.delivery.push(body(10), 1)
    slow.clock.ms = 1_799
    await slow.answer(noAnswer('timeout'))
    expect(slow.said).toEqual([])
    slow.waits[0]!.then()
    await slow.answer(noAnswer('timeout'))
    expect(slow.said).toHaveLength(1)

    const asked = harness()
    asked.delivery.push(body(10), 1)
    await asked.answer({ ...OK, status: 429, reason: 'slow down', retryAfterMs: 2_000 })
    expect(asked.said).toEqual([['SEND_UNREACHABLE', 'http://collector', '429 slow down', 0]])
  })

  it.each([429, 502, 503, 504])('waits as long as %d asks', async (status) => {
    const { delivery, waits, answer } = harness()
    delivery.push(body(10), 1)
    await answer({ ...OK, status, retryAfterMs: 7_000 })
    expect(waits[0]!.ms).toBe(7_000)
    waits[0]!.then()
    await answer({ ...OK, status, retryAfterMs: 3_600_000 })
    expect(waits[1]!.ms).toBe(60_000)
  })

  it.each([400, 401, 404, 413, 415, 500])('does not try again after %d', async (status) => {
    const { delivery, posted, said, settled, answer } = harness()
    delivery.push(body(10), 5)
    delivery.push(body(10), 6)
    await answer({ ...OK, status, reason: 'bad' })
    await answer({ ...OK, status, reason: 'bad' })
    expect(posted).toHaveLength(2)
    expect(settled).toEqual([
      [5, false],
      [6, false]
    ])
    expect(delivery.droppedSpans).toBe(11)
    expect(said).toEqual([['SEND_DROPPED', 5, `the collector answered ${status} bad (said once)`]])
  })

  it('drops the oldest beyond its bound, but not what is in flight, and says how many once', async () => {
    const { delivery, posted, waits, said, answer } = harness(30)
    delivery.push(body(10, 1), 1)
    delivery.push(body(10, 2), 10)
    delivery.push(body(10, 3), 100)
    expect(delivery.droppedSpans).toBe(0)
    await answer(noAnswer('ECONNREFUSED'))
    delivery.push(body(10, 4), 1_000)
    delivery.push(body(10, 5), 10_000)
    expect(delivery.droppedSpans).toBe(110)
    expect(delivery.queuedBytes).toBe(30)
    waits[0]!.then()
    await answer(OK)
    await answer(OK)
    await answer(OK)
    expect(posted.map((each) => each[0])).toEqual([1, 1, 4, 5])
    expect(said.map(([code, count]) => [code, count])).toEqual([['SEND_DROPPED', 110]])
  })

  it('sends each signal as what it is, and drops spans before it drops metrics', async () => {
    const { delivery, posted, signals, waits, said, answer } = harness(40)
    delivery.push(body(10, 1), 1)
    delivery.push(body(10, 2), 0, 'metrics')
    delivery.push(body(10, 3), 100)
    delivery.push(body(10, 4), 0, 'metrics')
    await answer(noAnswer('ECONNREFUSED'))
    delivery.push(body(10, 5), 1_000)
    expect([delivery.droppedSpans, delivery.droppedPayloads]).toEqual([100, 0])
    delivery.push(body(10, 6), 0, 'metrics')
    delivery.push(body(10, 7), 0, 'logs')
    expect([delivery.droppedSpans, delivery.droppedPayloads]).toEqual([1_100, 1])
    waits[0]!.then()
    for (let index = 0; index < 4; index++) await answer(OK)
    expect(posted.map((each) => each[0])).toEqual([1, 1, 4, 6, 7])
    expect(signals).toEqual(['traces', 'traces', 'metrics', 'metrics', 'logs'])
    expect(said).toEqual([
      ['SEND_DROPPED_PAYLOADS', 1, 'metrics', 'the queue was full'],
      ['SEND_DROPPED', 1_100, 'the queue was full']
    ])
  })

  it('says once for each signal that the other side does not take it', async () => {
    const { delivery, said, answer } = harness()
    for (let index = 0; index < 2; index++) {
      delivery.push(body(10), 0, 'metrics')
      await answer({ ...OK, status: 404, reason: 'no metrics' })
    }
    delivery.push(body(10), 0, 'logs')
    await answer({ ...OK, rejectedSpans: 3, reason: 'no' })
    expect(said).toEqual([
      ['SEND_DROPPED_PAYLOADS', 1, 'metrics', 'the collector answered 404 no metrics (said once)'],
      ['SEND_REFUSED_ITEMS', 3, 'logs', 'the collector answered 200 no (said once)']
    ])
    expect(delivery.droppedPayloads).toBe(2)
  })

  it('does not wait when the process is about to end', async () => {
    const { delivery, posted, waits, answer } = harness()
    delivery.push(body(10), 1)
    await answer(noAnswer('ECONNREFUSED'))
    delivery.hurry()
    expect(waits[0]!.cancelled).toBe(true)
    expect(posted).toHaveLength(2)
    const drained = delivery.drained()
    await answer(OK)
    await drained
  })
})

describe('answers', () => {
  it('reads Retry-After as seconds or as a date', () => {
    expect(retryAfterMs(undefined, 0)).toBeUndefined()
    expect(retryAfterMs('3', 0)).toBe(3_000)
    expect(retryAfterMs('soon', 0)).toBeUndefined()
    const at = Date.UTC(2026, 0, 1, 0, 0, 10)
    expect(retryAfterMs(new Date(at).toUTCString(), at - 4_000)).toBe(4_000)
  })

  it('reads partial success, and the message of a status in either encoding', () => {
    const message = Buffer.from('too old')
    const partial = Buffer.concat([Buffer.from([0x08, 5, 0x12, message.length]), message])
    const response = Buffer.concat([Buffer.from([0x0a, partial.length]), partial])
    expect(parsePartialSuccess(response)).toEqual({ rejectedSpans: 5, message: 'too old' })
    expect(parsePartialSuccess(Buffer.alloc(0))).toBeUndefined()
    const status = Buffer.concat([Buffer.from([0x08, 3, 0x12, message.length]), message])
    expect(parseStatusMessage(status, 'application/x-protobuf')).toBe('too old')
    expect(parseStatusMessage(Buffer.from('{"message":"no"}'), 'application/json')).toBe('no')
    expect(parseStatusMessage(Buffer.from('plain'), 'text/plain')).toBe('plain')
    expect(parseStatusMessage(Buffer.from([0x0a, 0xff]), 'application/x-protobuf')).toBe('')
  })
})
