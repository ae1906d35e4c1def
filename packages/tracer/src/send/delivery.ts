/**
 * A byte-bounded queue of payloads and their delivery, one request at a time and in order.
 *
 *   push ─→ [ in flight ][ … ][ newest ] ─→ post ─→ 200: next
 *                                             └───→ 429/502/503/504 or no answer: the same bytes again,
 *                                                   after 200 ms … 5 s with jitter, or Retry-After
 *
 * When the queue is full the oldest payload of spans that is not in flight is dropped: in an outage the
 * newest are worth most. Metrics and logs go only when no spans are left, because a kilobyte of metrics
 * stands for megabytes of spans that were counted and never sent.
 *
 * What fails and soon succeeds is a hiccup, and nothing is said of it. An outage begins with the third
 * failed try in a row, or the first that shows that it lasts 2 s, and ends with the next answer; it is
 * said once when it begins, and what it cost once when it ends (or the process does).
 */
import type { Notify } from '../notices.ts'
import type { Signal } from './sender.ts'

export interface PostResult {
  /** 0 when there was no answer. */
  readonly status: number
  /** What the other side, or the socket, said. */
  readonly reason: string
  readonly retryAfterMs: number | undefined
  /** Spans, data points or log records that the collector refused out of an accepted request. */
  readonly rejectedSpans: number
}

export interface DeliveryParts {
  readonly post: (body: Uint8Array, signal: Signal) => Promise<PostResult>
  /** Returns a canceller. */
  readonly after: (ms: number, then: () => void) => () => void
  readonly random: () => number
  readonly notify: Notify
  /** Where the signal goes, for what is said. */
  readonly addressOf: (signal: Signal) => string
  /** Monotonic. */
  readonly now: () => number
  readonly queueBytesMax: number
  /** Called for each payload that was delivered or dropped. */
  readonly settled: (spanCount: number, delivered: boolean, signal: Signal) => void
  /** Called for each body that was answered and is not tried again. */
  readonly release?: (body: Uint8Array) => void
  /** Called when an outage begins and ends. */
  readonly outage: (down: boolean) => void
}

interface Payload {
  readonly body: Uint8Array
  readonly spanCount: number
  readonly signal: Signal
}

const BACKOFF_FIRST_MS = 200
const BACKOFF_MAX_MS = 5_000
const OUTAGE_TRIES = 3
const OUTAGE_MS = 2_000
/** A collector that asks for more than this is not believed. */
const RETRY_AFTER_MAX_MS = 60_000
/** The OTLP specification's retryable answers; 0 is no answer. */
const RETRYABLE: ReadonlySet<number> = new Set([0, 429, 502, 503, 504])
const MEGABYTE = 1024 * 1024

export class Delivery {
  readonly #parts: DeliveryParts
  readonly #queue: Payload[] = []
  #queuedBytes = 0
  #sending = false
  #failures = 0
  /** When the first of the tries that failed was begun. */
  #failingSinceMs = 0
  #triedAtMs = 0
  /** Failed ones in a row; `failures` is what the wait is reckoned from. */
  #tries = 0
  #down = false
  #cancelWait: (() => void) | undefined = undefined
  #droppedInOutage = 0
  readonly #payloadsDroppedInOutage = new Map<Signal, number>()
  readonly #rejectionsSaid = new Set<string>()
  #idle: (() => void)[] = []
  deliveredSpans = 0
  droppedSpans = 0
  /** Of metrics and logs. */
  droppedPayloads = 0

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  push(body: Uint8Array, spanCount: number, signal: Signal = 'traces'): void {
    this.#queue.push({ body, spanCount, signal })
    this.#queuedBytes += body.length
    this.#makeRoom()
    this.#pump()
  }

  /** Resolves when the queue is empty. */
  drained(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Stops waiting between tries: the process is about to end. */
  hurry(): void {
    this.#failures = Math.min(this.#failures, 1)
    const cancel = this.#cancelWait
    if (cancel === undefined) return
    cancel()
    this.#cancelWait = undefined
    this.#pump()
  }

  /** Says what was dropped in an outage that has not ended. */
  reportDropped(): void {
    const { notify } = this.#parts
    for (const [signal, count] of this.#payloadsDroppedInOutage) {
      notify('SEND_DROPPED_PAYLOADS', count, signal, 'the queue was full')
    }
    this.#payloadsDroppedInOutage.clear()
    if (this.#droppedInOutage === 0) return
    notify('SEND_DROPPED', this.#droppedInOutage, 'the queue was full')
    this.#droppedInOutage = 0
  }

  /** The payload in flight stays, however large: its bytes may already be with the collector. */
  #makeRoom(): void {
    const first = this.#sending || this.#failures > 0 ? 1 : 0
    while (this.#queuedBytes > this.#parts.queueBytesMax && this.#queue.length > first + 1) {
      const [oldest] = this.#queue.splice(this.#leastWorth(first), 1)
      this.#queuedBytes -= oldest!.body.length
      this.#countDropped(oldest!)
      this.#settle(oldest!, false)
    }
  }

  /** The newest payload is not looked at: it stays, as one alone does. */
  #leastWorth(first: number): number {
    for (let index = first; index < this.#queue.length - 1; index++) {
      if (this.#queue[index]!.signal === 'traces') return index
    }
    return first
  }

  #countDropped({ signal, spanCount }: Payload): void {
    const known = this.#payloadsDroppedInOutage
    if (signal === 'traces') this.#droppedInOutage += spanCount
    else known.set(signal, (known.get(signal) ?? 0) + 1)
  }

  #pump(): void {
    const payload = this.#queue[0]
    if (payload === undefined || this.#sending || this.#cancelWait !== undefined) return
    this.#sending = true
    this.#triedAtMs = this.#parts.now()
    this.#parts.post(payload.body, payload.signal).then(
      (result) => this.#answered(payload, result),
      (fault) => this.#answered(payload, noAnswer(String(fault)))
    )
  }

  #answered(payload: Payload, result: PostResult): void {
    this.#sending = false
    if (RETRYABLE.has(result.status)) {
      this.#waitAndRetry(payload, result)
      return
    }
    this.#queue.shift()
    this.#queuedBytes -= payload.body.length
    this.#parts.release?.(payload.body)
    const accepted = result.status >= 200 && result.status < 300
    if (!accepted || result.rejectedSpans > 0) this.#sayRejected(payload, accepted, result)
    // Any answer but "try again" shows that the collector is there.
    this.#recovered()
    this.#settle(payload, accepted)
    if (this.#queue.length > 0) this.#pump()
  }

  #waitAndRetry({ signal }: Payload, result: PostResult): void {
    const { after, random } = this.#parts
    if (this.#failures++ === 0) {
      this.#failingSinceMs = this.#triedAtMs
      this.#tries = 0
    }
    this.#tries++
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (this.#failures - 1))
    const backoffMs = ceiling * (0.5 + random() / 2)
    const askedMs = Math.min(result.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)
    const waitMs = Math.max(backoffMs, askedMs)
    this.#sayDown(signal, result, waitMs)
    this.#cancelWait = after(waitMs, () => {
      this.#cancelWait = undefined
      this.#pump()
    })
  }

  #sayDown(signal: Signal, { status, reason }: PostResult, waitMs: number): void {
    const { notify, now, addressOf, queueBytesMax, outage } = this.#parts
    const lastsMs = now() - this.#failingSinceMs + waitMs
    if (this.#down || (this.#tries < OUTAGE_TRIES && lastsMs < OUTAGE_MS)) return
    this.#down = true
    const cause = status === 0 ? reason : `${status} ${reason}`
    notify('SEND_UNREACHABLE', addressOf(signal), cause, Math.round(queueBytesMax / MEGABYTE))
    outage(true)
  }

  #recovered(): void {
    this.#failures = 0
    if (this.#down) this.#parts.outage(false)
    this.#down = false
    this.reportDropped()
  }

  /** Once for each signal and status, because a misconfigured collector refuses every payload alike. */
  #sayRejected({ signal, spanCount }: Payload, accepted: boolean, result: PostResult): void {
    const kind = `${signal} ${result.status}`
    if (this.#rejectionsSaid.has(kind)) return
    this.#rejectionsSaid.add(kind)
    const { notify } = this.#parts
    const reason = `the collector answered ${result.status} ${result.reason} (said once)`
    if (signal === 'traces') {
      notify('SEND_DROPPED', accepted ? result.rejectedSpans : spanCount, reason)
    } else if (accepted) {
      notify('SEND_REFUSED_ITEMS', result.rejectedSpans, signal, reason)
    } else {
      notify('SEND_DROPPED_PAYLOADS', 1, signal, reason)
    }
  }

  #settle(payload: Payload, delivered: boolean): void {
    if (delivered) this.deliveredSpans += payload.spanCount
    else {
      this.droppedSpans += payload.spanCount
      if (payload.signal !== 'traces') this.droppedPayloads++
    }
    this.#parts.settled(payload.spanCount, delivered, payload.signal)
    if (this.#queue.length > 0) return
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }
}

export function noAnswer(reason: string): PostResult {
  return { status: 0, reason, retryAfterMs: undefined, rejectedSpans: 0 }
}
