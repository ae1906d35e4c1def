/**
 * A queue on one array: `shift` on a long array moves every element, this moves a head and cuts
 * the array once half of it is spent.
 *
 *   [ spent ][ spent ][ a ][ b ][ c ]
 *                      ↑ head
 */
const CUT_MIN = 1_024

export class Fifo<Item> {
  #items: Array<Item | undefined> = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  peek(): Item | undefined {
    return this.#items[this.#head]
  }

  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head >= CUT_MIN && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
