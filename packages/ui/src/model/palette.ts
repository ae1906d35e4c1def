/**
 * Which colour a service has. The slot comes from a hash of its name, so that it is the same on
 * every page and for every reader; services that hash alike are moved to the next free slot, and
 * what was once given is kept. The colours themselves are `--svc-0` to `--svc-9` in tokens.css.
 */
export const SLOT_COUNT = 10

/** More names than anyone tells apart by colour; beyond it the hash alone decides. */
const NAMES_MAX = 500

export type Slots = ReadonlyMap<string, number>

/** `slots` with every name of `names`; the same map when nothing was new. */
export function assignSlots(slots: Slots, names: readonly string[]): Slots {
  const fresh = names.filter((name) => !slots.has(name)).sort()
  if (fresh.length === 0) return slots
  const uses = new Array<number>(SLOT_COUNT).fill(0)
  for (const slot of slots.values()) uses[slot] = (uses[slot] ?? 0) + 1
  const result = new Map(slots)
  for (const name of fresh) {
    if (result.has(name) || result.size >= NAMES_MAX) continue
    const slot = leastUsedFrom(hashSlot(name), uses)
    uses[slot] = (uses[slot] ?? 0) + 1
    result.set(name, slot)
  }
  return result
}

export function slotOf(slots: Slots, name: string): number {
  return slots.get(name) ?? hashSlot(name)
}

/** FNV-1a: short names that differ in a letter end far apart. */
export function hashSlot(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % SLOT_COUNT
}

/** The wanted slot, or the next one round the ring that fewest services have. */
function leastUsedFrom(wanted: number, uses: readonly number[]): number {
  const fewest = Math.min(...uses)
  for (let step = 0; step < SLOT_COUNT; step++) {
    const slot = (wanted + step) % SLOT_COUNT
    if (uses[slot] === fewest) return slot
  }
  return wanted
}
