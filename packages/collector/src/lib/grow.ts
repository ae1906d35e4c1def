/** Typed columns grow by doubling: memory follows what is held, and an idle process holds little. */
type Column = Float64Array | Int32Array | Uint32Array | Uint8Array

/** A copy with room for `length` elements; the rest is zero. */
export function grown<C extends Column>(column: C, length: number): C {
  const larger = new (column.constructor as new (length: number) => C)(length)
  larger.set(column)
  return larger
}

/** The next power of two at or above `count`. */
export function powerOfTwo(count: number): number {
  return count <= 1 ? 1 : 2 ** (32 - Math.clz32(count - 1))
}
