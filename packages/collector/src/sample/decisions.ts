/**
 * Decisions as small numbers, so that millions can be remembered in a byte each. The numbers are
 * part of the checkpoint: a decision keeps its number.
 */
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import type { TailDecision } from './policies.ts'

/** A byte's worth. Policies and weights are configured, so there are a handful. */
const DECISIONS_MAX = 255

export class DecisionTable {
  readonly #decisions: TailDecision[] = []

  numberOf(decision: TailDecision): number {
    const { sampled, policyName, weight } = decision
    const known = this.#decisions.findIndex(
      (other) =>
        other.sampled === sampled && other.policyName === policyName && other.weight === weight
    )
    if (known >= 0) return known
    // Its late spans then follow another decision than its own: better than none at all.
    if (this.#decisions.length === DECISIONS_MAX) return DECISIONS_MAX - 1
    return this.#decisions.push({ sampled, policyName, weight }) - 1
  }

  at(number: number): TailDecision {
    const decision = this.#decisions[number]
    if (decision === undefined) throw new RangeError(`There is no decision ${number}.`)
    return decision
  }

  write(writer: BinaryWriter): void {
    writer.count(this.#decisions.length)
    for (const { sampled, policyName, weight } of this.#decisions) {
      writer.count(sampled ? 1 : 0)
      writer.text(policyName)
      writer.float(weight)
    }
  }

  read(reader: BinaryReader): void {
    const count = reader.count()
    this.#decisions.length = 0
    for (let number = 0; number < count; number++) {
      const sampled = reader.count() === 1
      this.#decisions.push({ sampled, policyName: reader.text(), weight: reader.float() })
    }
  }
}
