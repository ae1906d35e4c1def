/**
 * The sending thread: compresses what it is handed, queues it and delivers it. It has its own event loop, so it goes on while the main thread is blocked,
 * be it by the app or by waiting at exit. Nothing of the app is loaded here, and the tracer is not either.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { notifyAt } from '../notices.ts'
import { type Compression, compress, discard, free } from './compression.ts'
import { ControlBlock } from './control-block.ts'
import { Deliveries } from './deliveries.ts'
import { HeadRate } from './head-rate.ts'
import { createHttpPost } from './http-post.ts'
import type { OpenSpanWatch, SendOptions, Signal } from './sender.ts'

const FIRST_SCAN_AFTER_MS = 5_000
const SCAN_EVERY_MS = 1_000

export type ToWorker =
  | {
      readonly kind: 'batch'
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly spanCount: number
      readonly signal: Signal
    }
  | { readonly kind: 'hurry' }
  | { readonly kind: 'name'; readonly index: number; readonly name: string }
  | { readonly kind: 'flush'; readonly id: number }

export type FromWorker =
  | { readonly flushed: number }
  /** The memory of a batch that is compressed now. */
  | { readonly memory: ArrayBuffer }
  /** The head rate that is in force from now on. */
  | { readonly headRate: number }

export interface WorkerInput {
  readonly options: SendOptions
  readonly control: SharedArrayBuffer
  readonly watch: OpenSpanWatch | undefined
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
  const notify = notifyAt(options.logLevel ?? 'info')
  const http = createHttpPost({ options, notify, holdProcess: true, headRate })
  const delivery = new Deliveries(options.targets, {
    post: http.post,
    after,
    random: Math.random,
    now: () => performance.now(),
    notify,
    queueBytesMax: options.queueBytesMax,
    release(body) {
      if (http.hasSent(body)) free(body)
    },
    settled(spanCount, _delivered, signal) {
      // Logs are this thread's own: nobody waits for them.
      if (signal !== 'logs') control.settle(spanCount)
    },
    outage(down) {
      control.down = down
    }
  })
  const push = (bytes: Uint8Array, spanCount: number, signal: Signal) =>
    delivery.push(compress(bytes, http.compressionOf(signal)), spanCount, signal)
  const names: [number, string][] = []
  if (input.watch !== undefined) {
    watchOpenSpans(input.watch, names, (bytes) => push(bytes, 0, 'logs'))
  }
  parentPort!.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'batch':
        control.busyMs = threadBusyMs()
        control.took(message.bytes.length)
        push(message.bytes, message.spanCount, message.signal)
        giveBack(message.bytes, http.compressionOf(message.signal), control)
        break
      case 'name':
        names.push([message.index, message.name])
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

/** Small ones are not worth a message; an uncompressed body is still to be sent. */
const GIVEN_BACK_BYTES_MIN = 64 * 1024
/** Larger ones are not used again: a batch is half of that, but for a span that is larger alone. */
const GIVEN_BACK_BYTES_MAX = 1024 * 1024
/** More wait in the main thread's mailbox only while it is busy, for who knows how long. */
const GIVEN_BACK_MAX = 4

function giveBack(
  { buffer }: Uint8Array<ArrayBuffer>,
  compression: Compression,
  control: ControlBlock
): void {
  if (compression === 'none' || buffer.byteLength < GIVEN_BACK_BYTES_MIN) return
  if (buffer.byteLength > GIVEN_BACK_BYTES_MAX || control.waitingMemories >= GIVEN_BACK_MAX) {
    // At once: a thread that makes few objects collects them seldom.
    discard(buffer)
    return
  }
  control.gaveBack()
  parentPort!.postMessage({ memory: buffer } satisfies FromWorker, [buffer])
}

function threadBusyMs(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.eventLoopUtilization().active
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Loaded after a while: most programs have ended, or have no span that is open for long, by then. */
function watchOpenSpans(
  { shared, resource, scope }: OpenSpanWatch,
  names: [number, string][],
  send: (bytes: Uint8Array<ArrayBuffer>) => void
): void {
  const scan = async () => {
    const { OpenSpanReports } = await import('../runtime/open-span-reports.ts')
    const reports = new OpenSpanReports(shared, resource, scope)
    setInterval(() => {
      for (const [index, name] of names.splice(0)) reports.name(index, name)
      const report = reports.take(Date.now())
      if (report !== undefined) send(report.bytes)
    }, SCAN_EVERY_MS)
  }
  setTimeout(() => void scan(), FIRST_SCAN_AFTER_MS)
}

start(workerData as WorkerInput)
