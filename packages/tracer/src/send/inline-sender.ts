/**
 * Sends from the main thread, where there can be no worker (`--permission`, some sandboxes). It does not
 * block the app: bodies are compressed in the thread pool, each when it is sent. Its requests are made in
 * a context in which nothing is traced. It cannot wait at `exit`; a process that ends by itself is
 * flushed before that (`beforeExit`).
 */
import { SUPPRESSED_FRAME } from '../context/frame.ts'
import type { SpanloomContextManager } from '../context/manager.ts'
import type { Notify } from '../notices.ts'
import { compressLater } from './compression.ts'
import { Deliveries } from './deliveries.ts'
import { HeadRate } from './head-rate.ts'
import { createHttpPost, type HttpPost } from './http-post.ts'
import type { Sender, SendOptions, Signal } from './sender.ts'

export interface InlineSenderParts {
  readonly options: SendOptions
  readonly contexts: SpanloomContextManager
  readonly notify: Notify
  readonly random: () => number
  readonly onHeadRate: (rate: number) => void
}

const EXIT_WAIT_MS = 1_500

export class InlineSender implements Sender {
  readonly #contexts: SpanloomContextManager
  readonly #http: HttpPost
  readonly #headRate: HeadRate | undefined
  readonly #delivery: Deliveries
  readonly #beforeExit: () => void
  #waitingSpans = 0

  constructor({ options, contexts, notify, random, onHeadRate }: InlineSenderParts) {
    this.#contexts = contexts
    const name = options.headRateName
    this.#headRate =
      name === undefined ? undefined : new HeadRate({ name, after, changed: onHeadRate })
    const http = createHttpPost({
      options,
      notify,
      holdProcess: false,
      headRate: this.#headRate
    })
    this.#http = http
    this.#delivery = new Deliveries(options.targets, {
      // A body that is tried again is compressed again: rare, and it comes to the same bytes.
      post: async (body, signal) =>
        http.post(await compressLater(body, http.compressionOf(signal)), signal),
      now: () => performance.now(),
      after,
      random,
      notify,
      queueBytesMax: options.queueBytesMax,
      settled: (spanCount) => {
        this.#waitingSpans -= spanCount
      },
      outage() {}
    })
    this.#beforeExit = () => void this.flush(EXIT_WAIT_MS)
    process.once('beforeExit', this.#beforeExit)
  }

  send(bytes: Uint8Array<ArrayBuffer>, spanCount: number, signal: Signal = 'traces'): void {
    this.#waitingSpans += spanCount
    this.#contexts.run(SUPPRESSED_FRAME, () => this.#delivery.push(bytes, spanCount, signal))
  }

  readonly busyMs = 0

  sayName(): void {}

  flush(waitMs: number): Promise<void> {
    this.#contexts.run(SUPPRESSED_FRAME, () => this.#delivery.hurry())
    return new Promise((resolve) => {
      // This timer is not unref'd: it is what holds the process until the delivery.
      const timer = setTimeout(resolve, waitMs)
      void this.#delivery.drained().then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  flushAtExit(): number {
    this.#delivery.reportDropped()
    return this.#waitingSpans
  }

  async close(): Promise<void> {
    process.off('beforeExit', this.#beforeExit)
    this.#headRate?.close()
    this.#http.close()
  }
}

function after(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
