/**
 * Payload → rows, and the few strings of them that a shard needs, as names of its own.
 *
 *   scanner's string ids ── #names[id] ─→ name table ids
 *
 * The scanner's string table fills with whatever senders send. It is let go of between payloads
 * when it has grown past STRINGS_KEPT_MAX, and when a payload met its limits: that payload is then
 * scanned again on an empty table. So which strings find no room depends on the payload alone, and
 * a replay sees the same names.
 */
import {
  createScanner,
  OVERFLOW_STRING,
  type SpanRows,
  StringTable,
  UNKNOWN_SERVICE
} from '@spanloom/otlp'
import type { NameTable } from '../lib/name-table.ts'
import { WANTED_KEYS } from '../model/wanted-keys.ts'

/** A table holds 16 bytes of index per string of its limit from the start. */
const STRINGS_MAX = 131_072
const STRINGS_KEPT_MAX = 65_536
const BYTES_MAX = 64 * 1024 * 1024
const BYTES_KEPT_MAX = 16 * 1024 * 1024
/** Label values in Prometheus' ecosystem end at 2 KiB; names that are read are far below 1 KiB. */
const STRING_BYTES_MAX = 1024
const NOT_YET = -1

export class PayloadScanner {
  readonly #nameTable: NameTable
  #strings = newStringTable()
  #scanner = createScanner(WANTED_KEYS, this.#strings)
  #names = new Int32Array(1024).fill(NOT_YET)
  #renewals = 0

  constructor(nameTable: NameTable) {
    this.#nameTable = nameTable
  }

  /** Changes whenever string ids start anew: what is remembered by string id is void. */
  get renewals(): number {
    return this.#renewals
  }

  /**
   * Rows are borrowed until the next scan.
   * @throws OtlpError when the bytes are not OTLP.
   */
  scan(payload: Uint8Array): SpanRows {
    this.makeRoom()
    const rows = this.#scanner.scan(payload)
    if (this.#strings.overflowed === 0) return rows
    this.#renew()
    return this.#scanner.scan(payload)
  }

  /** Lets go of the string table when it is half full: all texts of a payload of metrics find room then. */
  makeRoom(): void {
    const { size, byteCount, overflowed } = this.#strings
    if (overflowed > 0 || size > STRINGS_KEPT_MAX || byteCount > BYTES_KEPT_MAX) this.#renew()
  }

  /** The name that a span of this text would have. After `makeRoom`. */
  nameOfText(text: string): number {
    return this.nameOf(this.#strings.internText(text))
  }

  nameOfService(text: string): number {
    return this.nameOfText(text === '' ? UNKNOWN_SERVICE : text)
  }

  /** @hot The name of a string id of the last scan; ids below 0 have none. */
  nameOf(string: number): number {
    if (string < this.#names.length) {
      const known = this.#names[string]!
      if (known !== NOT_YET) return known
    } else {
      const longer = new Int32Array(Math.max(this.#names.length * 2, string + 1)).fill(NOT_YET)
      longer.set(this.#names)
      this.#names = longer
    }
    const name = this.#nameTable.idOf(this.#strings.text(string))
    // The overflow text is a name like any other.
    if (string !== OVERFLOW_STRING) this.#names[string] = name
    return name
  }

  text(string: number): string {
    return this.#strings.text(string)
  }

  /** The name table was compacted: what was remembered of it is void. */
  forgetNames(): void {
    this.#names.fill(NOT_YET)
    this.#renewals++
  }

  #renew(): void {
    this.#strings = newStringTable()
    this.#scanner = createScanner(WANTED_KEYS, this.#strings)
    this.forgetNames()
  }
}

function newStringTable(): StringTable {
  return new StringTable({
    stringsMax: STRINGS_MAX,
    bytesMax: BYTES_MAX,
    stringBytesMax: STRING_BYTES_MAX
  })
}
