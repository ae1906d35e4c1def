/**
 * Sends from a worker thread. The main thread's share is one `postMessage` with the buffer transferred,
 * 0.1 µs a span. The thread starts with the first batch, or a moment after the tracer, whichever is
 * sooner; it never keeps the process alive. When it cannot be had, or dies, the main thread sends.
 */
import { Worker } from 'node:worker_threads'
import { ownFile } from '../lib/own-file.ts'
import type { Notify } from '../notices.ts'
import { ControlBlock } from './control-block.ts'
import type { OpenSpanWatch, Sender, SendOptions, Signal } from './sender.ts'
import type { FromWorker, ToWorker, WorkerInput } from './worker.ts'

/** Late enough to stay out of the app's start, soon enough to be there before its first request. */
const START_AFTER_MS = 50
/** While the collector does not answer, an exit is not held up for longer. */
const EXIT_WAIT_DOWN_MS = 300
/**
 * What the thread has not taken yet is uncompressed, so its bound is as many times the queue's. It is
 * reached when the thread gets no CPU, or by one burst of some 400,000 spans.
 */
const MAILBOX_SHARE = 4
const MAILBOX_BYTES_MIN = 4 * 1024 * 1024

export interface WorkerSenderParts {
  readonly options: SendOptions
  readonly notify: Notify
  readonly now: () => number
  readonly watch: OpenSpanWatch | undefined
  /** Told the collector's head rate when it changes. */
  readonly onHeadRate: (rate: number) => void
  /** Gets the memory of a batch back. */
  readonly onMemory: (memory: ArrayBuffer) => void
  /** What takes over when there can be no worker. */
  readonly fallback: () => Sender
}

export class WorkerSender implements Sender {
  readonly #parts: WorkerSenderParts
  readonly #control = new ControlBlock()
  readonly #flushes = new Map<number, () => void>()
  readonly #startTimer: NodeJS.Timeout
  readonly #names: [number, string][] = []
  #worker: Worker | undefined = undefined
  #fallback: Sender | undefined = undefined
  #closed = false
  #batches = 0
  /** Handed over, as the control block counts them. */
  #bytes = 0
  readonly #dropped = new Map<Signal, number>()
  #spans = 0
  #flushId = 0

  constructor(parts: WorkerSenderParts) {
    this.#parts = parts
    this.#startTimer = setTimeout(() => this.#start(), START_AFTER_MS)
    this.#startTimer.unref()
  }

  send(bytes: Uint8Array<ArrayBuffer>, spanCount: number, signal: Signal = 'traces'): void {
    if (!this.#start()) {
      this.#fallback?.send(bytes, spanCount, signal)
      return
    }
    if (!this.#hasRoom(spanCount, signal)) return
    this.#batches++
    this.#bytes += bytes.length
    this.#spans += spanCount
    this.#post({ kind: 'batch', bytes, spanCount, signal }, [bytes.buffer])
  }

  get busyMs(): number {
    return this.#control.busyMs
  }

  sayName(index: number, name: string): void {
    // Before there is a thread the names wait: it starts within moments.
    if (this.#worker === undefined) this.#names.push([index, name])
    else this.#post({ kind: 'name', index, name })
  }

  flush(waitMs: number): Promise<void> {
    if (this.#fallback !== undefined) return this.#fallback.flush(waitMs)
    const worker = this.#worker
    if (worker === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const id = ++this.#flushId
      // Whoever awaits this must not see the process end before it is settled.
      worker.ref()
      const done = () => {
        clearTimeout(timer)
        this.#flushes.delete(id)
        if (this.#flushes.size === 0) worker.unref()
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      this.#flushes.set(id, done)
      this.#post({ kind: 'flush', id })
    })
  }

  flushAtExit(waitMs: number): number {
    if (this.#fallback !== undefined) return this.#fallback.flushAtExit(waitMs)
    if (this.#worker === undefined) return 0
    this.#sayDropped()
    this.#post({ kind: 'hurry' })
    this.#control.waitForBatches(this.#batches, waitMs, EXIT_WAIT_DOWN_MS, this.#parts.now)
    return (this.#spans - this.#control.settledSpans) | 0
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#startTimer)
    await this.#fallback?.close()
    await this.#worker?.terminate()
  }

  /** Whether the thread has taken enough of what it was given. What is dropped is said when it ends. */
  #hasRoom(spanCount: number, signal: Signal): boolean {
    const waiting = (this.#bytes - this.#control.takenBytes) | 0
    const max = Math.max(MAILBOX_BYTES_MIN, this.#parts.options.queueBytesMax * MAILBOX_SHARE)
    if (waiting > max) {
      const lost = signal === 'traces' ? spanCount : 1
      this.#dropped.set(signal, (this.#dropped.get(signal) ?? 0) + lost)
      return false
    }
    this.#sayDropped()
    return true
  }

  #sayDropped(): void {
    if (this.#dropped.size === 0) return
    const { notify } = this.#parts
    const reason = 'the sending thread did not keep up'
    for (const [signal, count] of this.#dropped) {
      if (signal === 'traces') notify('SEND_DROPPED', count, reason)
      else notify('SEND_DROPPED_PAYLOADS', count, signal, reason)
    }
    this.#dropped.clear()
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  #start(): boolean {
    if (this.#worker !== undefined) return true
    if (this.#fallback !== undefined || this.#closed) return false
    clearTimeout(this.#startTimer)
    const input: WorkerInput = {
      options: this.#parts.options,
      control: this.#control.shared,
      watch: this.#parts.watch
    }
    try {
      const worker = new Worker(ownFile('send/worker'), {
        workerData: input,
        name: 'spanloom-sender',
        // No flag and no NODE_OPTIONS of the app: they would load the tracer, and the app's hooks, here.
        execArgv: [],
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 0.25 }
      })
      worker.on('message', (message: FromWorker) => {
        if ('memory' in message) {
          this.#control.gotBack()
          this.#parts.onMemory(message.memory)
        } else if ('headRate' in message) this.#parts.onHeadRate(message.headRate)
        else this.#flushes.get(message.flushed)?.()
      })
      worker.on('error', (error) => this.#lost(error))
      worker.on('exit', () => this.#lost(new Error('the worker ended')))
      // Last: listening for messages takes the reference back.
      worker.unref()
      this.#worker = worker
      for (const [index, name] of this.#names.splice(0)) this.sayName(index, name)
      return true
    } catch (error) {
      this.#lost(error)
      return false
    }
  }

  #lost(cause: unknown): void {
    if (this.#fallback !== undefined || this.#closed) return
    const { notify, fallback, onHeadRate } = this.#parts
    notify('SEND_NO_WORKER', cause instanceof Error ? cause.message : String(cause))
    const unsettled = (this.#spans - this.#control.settledSpans) | 0
    if (unsettled > 0) notify('SEND_DROPPED', unsettled, 'the sending thread ended')
    this.#worker = undefined
    // Nobody is left who would let the rate expire.
    onHeadRate(1)
    this.#fallback = fallback()
    for (const done of [...this.#flushes.values()]) done()
  }
}
