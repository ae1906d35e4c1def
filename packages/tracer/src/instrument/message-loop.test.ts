import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { SpanloomContextManager } from '../context/manager.ts'
import { MessageLoop } from './message-loop.ts'

const KEY = createContextKey('message')

let contexts: SpanloomContextManager
let seen: string[]
beforeEach(() => {
  contexts = new SpanloomContextManager()
  seen = []
})

const active = () => String(contexts.active().getValue(KEY))
const see = (what: string) => seen.push(`${what} in ${active()}`)
const contextOf = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name)
/** Called by the runtime, as what follows an `await` is. */
const inOuter = (fn: () => Promise<void>) =>
  contexts.run(contextOf('outer'), () => sleep(1).then(fn))

/** What stands for a stream: each message takes a moment, and says where it is read. */
function messages(count: number, name = 'm', failsAfter = false): AsyncIterableIterator<string> {
  const loop = new MessageLoop<string>(contexts)
  let index = 0
  const read = async (): Promise<IteratorResult<string>> => {
    const number = ++index
    if (active() !== 'outer' && name === 'm') see('read')
    await sleep(2)
    if (number <= count) return { value: `${name}${number}` }
    if (failsAfter) throw new Error('broken')
    return { done: true, value: undefined }
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => loop.next(read, contextOf),
    async return() {
      loop.end()
      return { done: true, value: undefined }
    }
  }
}

describe('a loop over messages', () => {
  it('has each message’s context in its body, and its own again after the end', async () => {
    await inOuter(async () => {
      for await (const message of messages(2)) {
        see(message)
        await sleep(1)
        see(`later ${message}`)
      }
      see('after')
      await sleep(1)
      see('long after')
    })
    expect(seen).toEqual([
      'm1 in m1',
      'later m1 in m1',
      'm2 in m2',
      'later m2 in m2',
      'after in outer',
      'long after in outer'
    ])
  })

  it('ends with a break, with an error of the body, and with one of the stream', async () => {
    await inOuter(async () => {
      for await (const message of messages(2)) {
        see(message)
        break
      }
      see('after break')
      try {
        for await (const message of messages(2)) throw new Error(see(message) as never)
      } catch {
        see('after throw')
      }
      try {
        for await (const message of messages(1, 'm', true)) see(message)
      } catch {
        see('after failure')
      }
      await sleep(1)
      see('at the end')
    })
    expect(seen).toEqual([
      'm1 in m1',
      'after break in outer',
      'm1 in m1',
      'after throw in outer',
      'm1 in m1',
      'after failure in outer',
      'at the end in outer'
    ])
  })

  it('gives what the body leaves running the message that it is of', async () => {
    const late: Promise<void>[] = []
    const work = async (message: string) => {
      await sleep(8)
      see(message)
    }
    await inOuter(async () => {
      for await (const message of messages(2)) late.push(work(message))
    })
    await Promise.all(late)
    expect(seen).toEqual(['m1 in m1', 'm2 in m2'])
  })

  it('nests, one after the other and one in the other', async () => {
    await inOuter(async () => {
      for await (const message of messages(2)) {
        for await (const inner of messages(1, 'inner ')) see(`${message} ${inner}`)
        see(message)
        for await (const _ of messages(1, 'second ')) break
        see(`${message} again`)
      }
      see('after')
    })
    expect(seen).toEqual([
      'm1 inner 1 in inner 1',
      'm1 in m1',
      'm1 again in m1',
      'm2 inner 1 in inner 1',
      'm2 in m2',
      'm2 again in m2',
      'after in outer'
    ])
  })

  it('leaves the code alone that does not wait for it', async () => {
    const loop = async () => {
      for await (const message of messages(3)) {
        see(message)
        await sleep(5)
      }
    }
    await inOuter(async () => {
      const done = loop()
      see('caller')
      for (let turn = 0; turn < 4; turn++) {
        await sleep(3)
        see('caller')
      }
      await done
      see('caller')
    })
    expect(seen.filter((each) => each.startsWith('caller'))).toEqual(
      new Array(6).fill('caller in outer')
    )
    // Of the first, the caller's code would come before the runtime's.
    expect(seen.filter((each) => each.startsWith('m'))).toEqual([
      'm1 in outer',
      'm2 in m2',
      'm3 in m3'
    ])
  })

  it.each<[string, (stream: AsyncIterableIterator<string>) => Promise<void>]>([
    [
      'a message that is asked for in advance',
      async (stream) => {
        let coming = stream.next()
        for (let turn = 0; turn < 2; turn++) {
          const { value } = await coming
          coming = stream.next()
          see(value)
          await sleep(10)
          see(`other than ${active() === 'outer' ? value : active()}, after ${value}`)
        }
      }
    ],
    [
      'a race with a timeout',
      async (stream) => {
        await Promise.race([stream.next(), sleep(1)])
        await sleep(8)
        see('late')
      }
    ],
    [
      'then',
      async (stream) => {
        const taken = stream.next().then(({ value }) => see(value))
        await sleep(8)
        see('late')
        await taken
      }
    ],
    [
      'a generator between',
      async (stream) => {
        async function* between() {
          for await (const message of stream) yield message
        }
        const generated = between()
        const first = generated.next()
        see('sync')
        await sleep(8)
        see('late')
        await first
        see('after')
      }
    ],
    [
      'a helper that awaits, and a caller that goes on',
      async (stream) => {
        const helper = async () => {
          await stream.next()
        }
        const helped = helper()
        await sleep(8)
        see('late')
        await helped
        see('after')
      }
    ]
  ])('never gives a message to code that is not its own: %s', async (_name, use) => {
    await inOuter(() => use(messages(2)))
    expect(seen.length).toBeGreaterThan(0)
    for (const each of seen) {
      const [what, where] = each.split(' in ')
      if (where !== 'outer') expect(what).toBe(where)
    }
  })

  it('leaves Error as it was, and the promise’s constructor Promise', async () => {
    const prepare = () => 'mine'
    Object.assign(Error, { prepareStackTrace: prepare })
    try {
      await sleep(1)
      const promise = messages(1).next()
      expect(promise.constructor).toBe(Promise)
      await promise
      expect(Error.prepareStackTrace).toBe(prepare)
      expect(Error.stackTraceLimit).toBeGreaterThan(2)
    } finally {
      Object.assign(Error, { prepareStackTrace: undefined })
    }
  })
})
