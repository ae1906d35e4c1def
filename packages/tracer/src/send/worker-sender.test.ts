import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { OtlpSink } from '../../test/otlp-sink.ts'
import type { Sender, SendTarget } from './sender.ts'
import { WorkerSender } from './worker-sender.ts'

let sink: OtlpSink | undefined
let sender: WorkerSender | undefined

afterEach(async () => {
  await sender?.close()
  await sink?.close()
})

const MEGABYTE = 1024 * 1024

// The thread runs the source as it is, which Node does by itself from 22.18 on.
describe.skipIf(!process.features.typescript)('the sending thread', () => {
  // The thread is given no flags, and its source is TypeScript here.
  it.skipIf(!runsTypeScript())(
    'that does not keep up is given no more than there is room for; the rest is counted',
    async () => {
      sink = await new OtlpSink().listen()
      const target: SendTarget = {
        url: `${sink.url}/v1/logs`,
        headers: {},
        timeoutMs: 5_000,
        compression: 'none'
      }
      const said: unknown[][] = []
      sender = new WorkerSender({
        options: {
          targets: { traces: target, metrics: target, logs: target },
          queueBytesMax: 2 * MEGABYTE,
          logLevel: 'none',
          userAgent: 'test',
          headRateName: undefined
        },
        notify: (code, ...facts) => void said.push([code, ...facts]),
        now: () => performance.now(),
        watch: undefined,
        onHeadRate() {},
        onMemory() {},
        fallback: (): Sender => {
          throw new Error('no worker')
        }
      })
      // One go: the thread cannot have begun. Eight megabytes are not too much yet, a byte more is.
      for (let index = 0; index < 8; index++) sender.send(new Uint8Array(MEGABYTE), 10)
      sender.send(new Uint8Array(1), 100)
      sender.send(new Uint8Array(1), 1_000)
      sender.send(new Uint8Array(1), 0, 'metrics')
      await sender.flush(10_000)
      expect(said).toEqual([])
      sender.send(new Uint8Array(1), 1)
      expect(said).toEqual([
        ['SEND_DROPPED', 1_000, 'the sending thread did not keep up'],
        ['SEND_DROPPED_PAYLOADS', 1, 'metrics', 'the sending thread did not keep up']
      ])
    }
  )

  it.skipIf(!runsTypeScript())(
    'gives memory back only as long as it is taken, and none that is too large',
    async () => {
      // Takes what comes and never answers: the main thread may wait for as long as it likes.
      const silent = createServer().listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const target: SendTarget = {
        url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1/traces`,
        headers: {},
        timeoutMs: 5_000,
        compression: 'gzip'
      }
      const memories: number[] = []
      sender = new WorkerSender({
        options: {
          targets: { traces: target, metrics: target, logs: target },
          queueBytesMax: 32 * MEGABYTE,
          logLevel: 'none',
          userAgent: 'test',
          headRateName: undefined
        },
        notify() {},
        now: () => performance.now(),
        watch: undefined,
        onHeadRate() {},
        onMemory: (memory) => void memories.push(memory.byteLength),
        fallback: (): Sender => {
          throw new Error('no worker')
        }
      })
      sender.send(new Uint8Array(MEGABYTE + 1), 1)
      for (let index = 0; index < 32; index++) sender.send(new Uint8Array(MEGABYTE / 2), 1)
      expect(sender.flushAtExit(1_500)).toBe(33)
      expect(memories).toEqual([])
      await sender.flush(100)
      expect(memories).toEqual(Array.from({ length: 4 }, () => MEGABYTE / 2))
      silent.close()
    }
  )
})

/** Without a flag: since 22.18. */
function runsTypeScript(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}
