import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { describe, it } from 'vitest'
import { TestClock, turn } from './clock.testkit.ts'
import { Lifecycle } from './lifecycle.ts'
import { urlOf } from './url.ts'

function makeLifecycle() {
  const clock = new TestClock()
  const failures: unknown[] = []
  const onStopFailed = (error: unknown) => void failures.push(error)
  const lifecycle = new Lifecycle({ clock, finishMs: 3_000, stopMs: 4_000, onStopFailed })
  return { clock, failures, lifecycle }
}

describe('Lifecycle', () => {
  it('stops in reverse, once, and goes on when one stop fails', async () => {
    const { lifecycle, failures, clock } = makeLifecycle()
    const stopped: string[] = []
    for (const name of ['a', 'b', 'c']) {
      await lifecycle.started(Promise.resolve(name), async () => {
        stopped.push(name)
        if (name === 'b') throw new Error('no')
      })
    }
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    deepStrictEqual(stopped, ['c', 'b', 'a'])
    strictEqual(failures.length, 1)
    strictEqual(clock.timerCount, 0)
  })

  it('stops at once what is only done starting after the stop, and starts nothing more', async () => {
    const { lifecycle } = makeLifecycle()
    const stopped: string[] = []
    let done = (_: string) => {}
    const starting = new Promise<string>((resolve) => {
      done = resolve
    })
    const started = lifecycle.started(starting, async (name) => stopped.push(name))
    await lifecycle.stop()
    done('late')
    await rejects(started)
    deepStrictEqual(stopped, ['late'])
  })

  it('says when to finish, and leaves what hangs at the end of the time', async () => {
    const { lifecycle, clock } = makeLifecycle()
    let finished = false
    let isStopped = false
    await lifecycle.started(Promise.resolve(), (_, finish) => {
      finish.addEventListener('abort', () => {
        finished = true
      })
      return new Promise(() => {})
    })
    const stop = lifecycle.stop().then(() => {
      isStopped = true
    })
    await clock.advance(2_999)
    strictEqual(finished, false)
    await clock.advance(1)
    strictEqual(finished, true)
    await turn()
    strictEqual(isStopped, false)
    await clock.advance(1_000)
    await stop
  })
})

describe('urlOf', () => {
  it('is one that this machine can open', () => {
    strictEqual(urlOf('127.0.0.1', 1), 'http://127.0.0.1:1')
    strictEqual(urlOf('0.0.0.0', 2), 'http://localhost:2')
    strictEqual(urlOf('::1', 3), 'http://[::1]:3')
  })
})
