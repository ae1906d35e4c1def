/**
 * A request's body: read within its limits, inflated within its limit. What is being read is
 * counted in a ledger that all requests share, as it arrives and not as it is declared: a sender
 * that announces much and sends nothing takes no room from the others.
 */
import type { IncomingMessage } from 'node:http'
import { CollectorError } from '../errors.ts'
import { type Compressed, inflate, isTooLarge } from '../lib/inflate.ts'

export class BodyLedger {
  readonly bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get isOver(): boolean {
    return this.#bytes > this.bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  lease(): BodyLease {
    let leased = 0
    return {
      add: (byteCount) => {
        leased += byteCount
        this.#bytes += byteCount
      },
      release: () => {
        this.#bytes -= leased
        leased = 0
      }
    }
  }
}

/** What one request holds of the ledger, until it is answered. */
export interface BodyLease {
  add(byteCount: number): void
  release(): void
}

/**
 * Resolves with the whole body, in memory of its own; `undefined` when the sender went away.
 * @throws CollectorError RECEIVE_BODY_TOO_LARGE, RECEIVE_BUSY; the rest of the body is unread then.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  ledger: BodyLedger,
  lease: BodyLease
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let byteCount = 0
    const settle = (then: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone)
      // Without a listener an aborted request would throw.
      request.on('error', () => {})
      then()
    }
    const onData = (chunk: Buffer) => {
      byteCount += chunk.length
      lease.add(chunk.length)
      if (byteCount > bytesMax) {
        settle(() => reject(new CollectorError('RECEIVE_BODY_TOO_LARGE', [bytesMax])))
      } else if (ledger.isOver) {
        settle(() => reject(new CollectorError('RECEIVE_BUSY', [ledger.bytesMax])))
      } else {
        chunks.push(chunk)
      }
    }
    const onEnd = () => settle(() => resolve(joined(chunks, byteCount)))
    const onGone = () => settle(() => resolve(undefined))
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone)
  })
}

function joined(chunks: readonly Buffer[], byteCount: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteCount)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** @throws CollectorError RECEIVE_INFLATED_TOO_LARGE, RECEIVE_COMPRESSION_DAMAGED */
export async function inflateBody(
  bytes: Uint8Array,
  compression: Compressed,
  bytesMax: number
): Promise<Uint8Array> {
  try {
    return await inflate(bytes, compression, bytesMax)
  } catch (error) {
    throw isTooLarge(error)
      ? new CollectorError('RECEIVE_INFLATED_TOO_LARGE', [bytesMax])
      : new CollectorError('RECEIVE_COMPRESSION_DAMAGED', [
          bytes.length,
          compression,
          (error as Error).message
        ])
  }
}
