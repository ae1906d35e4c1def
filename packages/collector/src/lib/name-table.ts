/**
 * Texts as small numbers, for a shard's own use: services, operations, peers. The scanner's string
 * table comes and goes with what senders send; these ids stay valid until `compact` says how they
 * moved. Nothing that leaves the shard depends on an id's value, only on its text.
 *
 * Bounded by its users: it holds what open spans and series hold, and at most as much again until
 * the next compaction. Texts are bounded by the scanner (1 KiB).
 */
export class NameTable {
  readonly #texts: string[] = []
  readonly #ids = new Map<string, number>()

  get size(): number {
    return this.#texts.length
  }

  idOf(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#texts.length
    this.#texts.push(text)
    this.#ids.set(text, id)
    return id
  }

  text(id: number): string {
    const text = this.#texts[id]
    if (text === undefined) throw new RangeError(`There is no name ${id}.`)
    return text
  }

  /** Keeps the names marked with 1; returns the new id of each old one, -1 for those let go. */
  compact(marks: Uint8Array): Int32Array {
    const moved = new Int32Array(this.#texts.length).fill(-1)
    const kept = this.#texts.filter((_, id) => marks[id] === 1)
    let next = 0
    for (let id = 0; id < moved.length; id++) if (marks[id] === 1) moved[id] = next++
    this.#texts.length = 0
    this.#ids.clear()
    for (const text of kept) this.idOf(text)
    return moved
  }
}
