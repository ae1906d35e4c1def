/**
 * Whom a client or producer span called, as far as the span itself says: a database, a queue, or
 * an address. A called service that sends spans of its own is known better, from its child span.
 */
import { NO_STRING, SpanKind, type SpanRows } from '@spanloom/otlp'
import { PeerType } from '../model/stitched-trace.ts'
import { WANTED } from '../model/wanted-keys.ts'

/** String ids → names; what the scanner offers. */
export interface Names {
  readonly renewals: number
  nameOf(string: number): number
  text(string: number): string
}

/** What a caller is called that is known of its callee only, and a callee without any address. */
export const UNKNOWN_PEER = 'unknown'

/** Addresses with a port that are remembered: more would only be built anew each time. */
const ADDRESSES_MAX = 10_000

export class PeerReader {
  readonly #names: Names
  readonly #nameOfText: (text: string) => number
  /** By string ids of address and port. */
  readonly #addresses = new Map<number, number>()
  #renewals = 0
  /** Result of the last `read`. */
  type: number = PeerType.NONE
  name = -1

  constructor(names: Names, nameOfText: (text: string) => number) {
    this.#names = names
    this.#nameOfText = nameOfText
  }

  /** @hot Sets `type` and `name` for a row of the last scan. */
  read(rows: SpanRows, row: number): void {
    const kind = rows.kind[row]!
    if (kind !== SpanKind.CLIENT && kind !== SpanKind.PRODUCER) {
      this.type = PeerType.NONE
      this.name = -1
      return
    }
    const database = first(rows, row, WANTED.DB_SYSTEM_NAME, WANTED.DB_SYSTEM)
    if (database !== NO_STRING) {
      const name = first(rows, row, WANTED.DB_NAMESPACE, WANTED.DB_NAME)
      this.type = PeerType.DATABASE
      this.name = this.#names.nameOf(name === NO_STRING ? database : name)
      return
    }
    const messaging = rows.attributes[WANTED.MESSAGING_SYSTEM]![row]!
    if (messaging !== NO_STRING) {
      const destination = rows.attributes[WANTED.MESSAGING_DESTINATION_NAME]![row]!
      this.type = PeerType.MESSAGING
      this.name = this.#names.nameOf(destination === NO_STRING ? messaging : destination)
      return
    }
    this.type = PeerType.EXTERNAL
    this.name = this.#external(rows, row)
  }

  #external(rows: SpanRows, row: number): number {
    const service = rows.attributes[WANTED.PEER_SERVICE]![row]!
    if (service !== NO_STRING) return this.#names.nameOf(service)
    const address = rows.attributes[WANTED.SERVER_ADDRESS]![row]!
    if (address === NO_STRING) return this.#nameOfText(UNKNOWN_PEER)
    const port = rows.attributes[WANTED.SERVER_PORT]![row]!
    return port === NO_STRING ? this.#names.nameOf(address) : this.#addressOf(address, port)
  }

  #addressOf(address: number, port: number): number {
    if (this.#renewals !== this.#names.renewals || this.#addresses.size >= ADDRESSES_MAX) {
      this.#addresses.clear()
      this.#renewals = this.#names.renewals
    }
    // String ids are below 2^28.
    const key = address * 0x1000_0000 + port
    let name = this.#addresses.get(key)
    if (name === undefined) {
      name = this.#nameOfText(`${this.#names.text(address)}:${this.#names.text(port)}`)
      this.#addresses.set(key, name)
    }
    return name
  }
}

function first(rows: SpanRows, row: number, column: number, other: number): number {
  const id = rows.attributes[column]![row]!
  return id === NO_STRING ? rows.attributes[other]![row]! : id
}
