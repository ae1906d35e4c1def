import { Delivery, type DeliveryParts } from './delivery.ts'
import { addressOf, type SendTarget, SIGNALS, type Signal } from './sender.ts'

export type DeliveriesParts = Omit<DeliveryParts, 'addressOf'>

/**
 * Signals that go to one place share a queue and a connection; a place that does not answer holds up no
 * other. The bytes that may wait are shared out evenly among the places, so their sum is what was set.
 */
export class Deliveries {
  readonly #bySignal: ReadonlyMap<Signal, Delivery>
  readonly #all: readonly Delivery[]
  #downCount = 0

  constructor(targets: Readonly<Record<Signal, SendTarget>>, parts: DeliveriesParts) {
    const byPlace = new Map<string, Delivery>()
    const placeCount = new Set(SIGNALS.map((signal) => placeOf(targets[signal]))).size
    const own: DeliveryParts = {
      ...parts,
      addressOf: (signal) => addressOf(targets[signal]),
      queueBytesMax: Math.floor(parts.queueBytesMax / placeCount),
      outage: (down) => {
        this.#downCount += down ? 1 : -1
        parts.outage(this.#downCount > 0)
      }
    }
    this.#bySignal = new Map(
      SIGNALS.map((signal) => {
        const place = placeOf(targets[signal])
        const delivery = byPlace.get(place) ?? new Delivery(own)
        byPlace.set(place, delivery)
        return [signal, delivery]
      })
    )
    this.#all = [...byPlace.values()]
  }

  push(body: Uint8Array, spanCount: number, signal: Signal): void {
    this.#bySignal.get(signal)!.push(body, spanCount, signal)
  }

  hurry(): void {
    for (const delivery of this.#all) delivery.hurry()
  }

  reportDropped(): void {
    for (const delivery of this.#all) delivery.reportDropped()
  }

  /** Resolves when all queues are empty. */
  async drained(): Promise<void> {
    await Promise.all(this.#all.map((delivery) => delivery.drained()))
  }
}

function placeOf({ url, socketPath }: SendTarget): string {
  return socketPath ?? new URL(url).origin
}
