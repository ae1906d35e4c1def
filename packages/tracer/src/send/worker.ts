/**
 * The sending thread: compresses what it is handed (gzip level 1: a tenth of the size for 3 µs a span),
 * queues it and delivers it. It has its own event loop, so it goes on while the main thread is blocked,
 * be it by the app or by waiting at exit. Nothing of the app is loaded here, and the tracer is not either.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { notifyStderr } from '../notices.ts'
import { ControlBlock } from './control-block.ts'
import { Delivery } from './delivery.ts'
import { HeadRate } from './head-rate.ts'
import { createHttpPost } from './http-post.ts'
import type { SendOptions, Signal } from './sender.ts'

export type ToWorker =
  | {
      readonly kind: 'batch'
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly spanCount: number
      readonly signal: Signal
    }
  | { readonly kind: 'hurry' }
  | { readonly kind: 'flush'; readonly id: number }

export type FromWorker =
  | { readonly flushed: number }
  /** The head rate that is in force from now on. */
  | { readonly headRate: number }

export interface WorkerInput {
  readonly options: SendOptions
  readonly control: SharedArrayBuffer
}

function start(input: WorkerInput): void {
  const { options } = input
  const control = new ControlBlock(input.control)
  const after = (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  }
  const { headRateName } = options
  const headRate =
    headRateName === undefined
      ? undefined
      : new HeadRate({
          name: headRateName,
          after,
          changed: (rate) => parentPort!.postMessage({ headRate: rate } satisfies FromWorker)
        })
  const http = createHttpPost(options, 'gzip', true, headRate)
  const delivery = new Delivery({
    post: http.post,
    after,
    random: Math.random,
    notify: notifyStderr,
    address: options.targets.traces.url,
    queueBytesMax: options.queueBytesMax,
    settled: (spanCount) => control.settle(spanCount),
    outage(down) {
      control.down = down
    }
  })
  parentPort!.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'batch':
        delivery.push(gzipSync(message.bytes, { level: 1 }), message.spanCount, message.signal)
        break
      case 'hurry':
        delivery.reportDropped()
        delivery.hurry()
        break
      case 'flush':
        delivery.hurry()
        void delivery.drained().then(() => {
          parentPort!.postMessage({ flushed: message.id } satisfies FromWorker)
        })
    }
  })
}

start(workerData as WorkerInput)
