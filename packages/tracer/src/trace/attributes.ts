/**
 * Attributes as one flat array: [key, value, key, value …]. A span has about ten, and a linear search
 * over ten keys beats a Map and is one allocation; an object is made only for who asks for one.
 *
 * Values are what API 1.10 allows: strings, numbers, booleans, bytes, null, and lists and maps of
 * these. Lists, maps and bytes are copied, so that the app may go on changing its own.
 */
import type { AnyValue, Attributes } from '@opentelemetry/api'

export type FlatAttributes = AnyValue[]

/** Deeper values are cut off: they are likely to be circular. */
const DEPTH_MAX = 8
/** More elements of one list or map are cut off, because a span is no place for a table. */
const ELEMENTS_MAX = 1_024

/** @hot Sets or replaces one. Returns false when `max` attributes are there and the key is new. */
export function putAttribute(
  flat: FlatAttributes,
  key: string,
  value: AnyValue,
  max: number
): boolean {
  const length = flat.length
  for (let index = 0; index < length; index += 2) {
    if (flat[index] === key) {
      flat[index + 1] = value
      return true
    }
  }
  if (length >= max * 2) return false
  flat.push(key, value)
  return true
}

/** Returns how many attributes found no room. */
export function putAll(
  flat: FlatAttributes,
  attributes: Attributes,
  max: number,
  charsMax: number
): number {
  let dropped = 0
  for (const key in attributes) {
    const value = admittedValue(attributes[key], charsMax)
    if (key === '' || value === undefined) continue
    if (!putAttribute(flat, key, value, max)) dropped++
  }
  return dropped
}

/** The value as it may be kept; undefined when it is none (a function, a symbol, a bigint). */
export function admittedValue(value: unknown, charsMax: number, depth = 0): AnyValue {
  switch (typeof value) {
    case 'string':
      return value.length > charsMax ? value.slice(0, charsMax) : value
    case 'number':
    case 'boolean':
      return value
    case 'object':
      if (value === null) return depth === 0 ? undefined : null
      return depth < DEPTH_MAX ? copied(value, charsMax, depth + 1) : undefined
    default:
      return undefined
  }
}

function copied(value: object, charsMax: number, depth: number): AnyValue {
  // A Buffer's own `slice` would not copy.
  if (value instanceof Uint8Array) return new Uint8Array(value.subarray(0, charsMax))
  if (Array.isArray(value)) {
    return value
      .slice(0, ELEMENTS_MAX)
      .map((element) => admittedValue(element, charsMax, depth) ?? null)
  }
  const map: Record<string, AnyValue> = {}
  let room = ELEMENTS_MAX
  for (const [key, element] of Object.entries(value)) {
    if (room-- === 0) break
    map[key] = admittedValue(element, charsMax, depth) ?? null
  }
  return map
}

export function attributesObject(flat: FlatAttributes): Attributes {
  const attributes: Attributes = {}
  for (let index = 0; index < flat.length; index += 2) {
    attributes[flat[index] as string] = flat[index + 1]
  }
  return attributes
}
