/**
 * Payloads inflated again for the traces that are kept. Traces are decided in the order in which
 * they came, so the same few payloads are asked for again and again: the last ones stay, up to a
 * bound in bytes, and only while a tick lasts.
 */
import type { Compressed } from '../lib/inflate.ts'
import type { HeldPayload } from '../stitch/payload-table.ts'

/** A payload of 512 spans has 200 KB: this holds some 300, a second's worth of 150,000 spans. */
const BYTES_MAX = 64 * 1024 * 1024

export type Inflate = (bytes: Uint8Array, compression: Compressed) => Uint8Array

export class InflatedPayloads {
  readonly #inflate: Inflate
  /** By position; the least recently used first. */
  readonly #inflated = new Map<number, Uint8Array>()
  #byteCount = 0

  constructor(inflate: Inflate) {
    this.#inflate = inflate
  }

  of(payload: Pick<HeldPayload, 'position' | 'compression' | 'bytes'>): Uint8Array {
    if (payload.compression === 'identity') return payload.bytes
    const known = this.#inflated.get(payload.position)
    if (known !== undefined) {
      this.#inflated.delete(payload.position)
      this.#inflated.set(payload.position, known)
      return known
    }
    const bytes = this.#inflate(payload.bytes, payload.compression)
    this.#inflated.set(payload.position, bytes)
    this.#byteCount += bytes.length
    for (const [position, oldest] of this.#inflated) {
      if (this.#byteCount <= BYTES_MAX || position === payload.position) break
      this.#inflated.delete(position)
      this.#byteCount -= oldest.length
    }
    return bytes
  }

  clear(): void {
    this.#inflated.clear()
    this.#byteCount = 0
  }
}
