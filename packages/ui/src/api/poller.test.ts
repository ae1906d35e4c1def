import { describe, expect, it } from 'vitest'
import { REFRESH_MS, startPoller } from './poller.ts'

/** A host whose clock moves by hand, and whose asks are answered by hand. */
function makeHost() {
  let now = 0
  const timers = new Set<{ at: number; callback: () => void }>()
  const asks: {
    signal: AbortSignal
    answer: (value: string) => Promise<void>
    fail: (error: unknown) => Promise<void>
  }[] = []
  const seen: string[] = []
  const state = { isLive: true, isHidden: false, isWorthRetrying: true }
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }
  const poller = startPoller<string>({
    ask(signal) {
      return new Promise<string>((resolve, reject) => {
        asks.push({
          signal,
          answer: (value) => {
            resolve(value)
            return settle()
          },
          fail: (error) => {
            reject(error)
            return settle()
          }
        })
      })
    },
    onValue: (value) => seen.push(value),
    onFailure: (error) => seen.push(`failed: ${error}`),
    isWorthRetrying: () => state.isWorthRetrying,
    isLive: () => state.isLive,
    isHidden: () => state.isHidden,
    later(callback, delayMs) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    }
  })
  const pass = (ms: number) => {
    now += ms
    for (const timer of [...timers]) {
      if (timer.at <= now && timers.delete(timer)) timer.callback()
    }
  }
  return { poller, asks, seen, state, pass, timers }
}

describe('startPoller', () => {
  it('asks at once and again after the refresh time', async () => {
    const { asks, seen, pass } = makeHost()

    await asks[0]!.answer('one')
    pass(REFRESH_MS - 1)
    expect(asks.length).toBe(1)
    pass(1)
    expect(asks.length).toBe(2)
    await asks[1]!.answer('two')

    expect(seen).toEqual(['one', 'two'])
  })

  it('asks once when not live', async () => {
    const { asks, state, pass, timers } = makeHost()
    state.isLive = false

    await asks[0]!.answer('one')
    pass(60_000)

    expect(asks.length).toBe(1)
    expect(timers.size).toBe(0)
  })

  it('waits while the page is hidden and catches up when it is shown', async () => {
    const { poller, asks, state, pass } = makeHost()
    await asks[0]!.answer('one')

    state.isHidden = true
    pass(REFRESH_MS * 10)
    poller.wake()
    expect(asks.length).toBe(1)
    state.isHidden = false
    poller.wake()

    expect(asks.length).toBe(2)
  })

  it('does not ask early because the page was shown', async () => {
    const { poller, asks } = makeHost()
    await asks[0]!.answer('one')

    poller.wake()

    expect(asks.length).toBe(1)
  })

  it('retries ever more slowly, even when not live, and recovers', async () => {
    const { asks, seen, state, pass } = makeHost()
    state.isLive = false
    const pauses = [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]

    for (const [failure, pause] of pauses.entries()) {
      await asks[failure]!.fail('gone')
      pass(pause - 1)
      expect(asks.length).toBe(failure + 1)
      pass(1)
      expect(asks.length).toBe(failure + 2)
    }
    await asks[pauses.length]!.answer('back')

    expect(seen).toEqual([...pauses.map(() => 'failed: gone'), 'back'])
  })

  it('does not retry a wrong question, but asks it again while live', async () => {
    const { asks, state, pass } = makeHost()
    state.isWorthRetrying = false

    await asks[0]!.fail('wrong')
    pass(REFRESH_MS)
    expect(asks.length).toBe(2)
    state.isLive = false
    await asks[1]!.fail('wrong')
    pass(60_000)

    expect(asks.length).toBe(2)
  })

  it('aborts the ask under way for a newer one, and ignores what it still says', async () => {
    const { poller, asks, seen } = makeHost()

    poller.askNow()
    expect(asks[0]!.signal.aborted).toBe(true)
    await asks[1]!.answer('new')
    await asks[0]!.answer('old')

    expect(seen).toEqual(['new'])
  })

  it('gives up an ask that is never answered', async () => {
    const { asks, seen, pass } = makeHost()

    pass(20_000)
    expect(asks[0]!.signal.aborted).toBe(true)
    await asks[0]!.fail(asks[0]!.signal.reason)

    expect(seen).toEqual(['failed: Error: No answer within 20 seconds.'])
  })

  it('is silent once stopped', async () => {
    const { poller, asks, seen, pass, timers } = makeHost()

    poller.stop()
    expect(asks[0]!.signal.aborted).toBe(true)
    await asks[0]!.answer('late')
    poller.wake()
    poller.askNow()
    pass(60_000)

    expect(seen).toEqual([])
    expect(asks.length).toBe(1)
    expect(timers.size).toBe(0)
  })
})
