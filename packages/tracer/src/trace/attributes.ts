/**
 * Attributes as one flat array: [key, value, key, value …]. A span has about ten, and a linear search
 * over ten keys beats a Map and is one allocation; an object is made only for who asks for one.
 *
 * Values are what API 1.10 allows: strings, numbers, booleans, bytes, null, and lists and maps of
 * these. Lists, maps and bytes are copied, so that the app may go on changing its own.
 */
import type { AnyValue, Attributes } from '@opentelemetry/api'
import { cutText } from '../lib/text.ts'

export type FlatAttributes = AnyValue[]

/** Deeper values are cut off: they are likely to be circular. */
const DEPTH_MAX = 8
/** More elements of one value, all levels together, are cut off: a span is no place for a table. */
const ELEMENTS_MAX = 1_024
/** More characters or bytes of one value are cut off whatever the settings say: it is a megabyte. */
const CHARS_MAX = 1_048_576

/** Longer keys are cut, because a key is a name. */
export const KEY_CHARS_MAX = 1_024

/** What stands for a value whose getter threw: no admitted value is a symbol. */
const UNREADABLE = Symbol('unreadable')

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

/** Returns how many attributes found no room or could not be read. */
export function putAll(
  flat: FlatAttributes,
  attributes: Attributes,
  max: number,
  charsMax: number
): number {
  let dropped = 0
  eachAttribute(attributes, (key, value) => {
    const admitted = admittedValue(value, charsMax)
    if (admitted === undefined) dropped += isRefused(value) ? 1 : 0
    else if (!putAttribute(flat, key, admitted, max)) dropped++
  })
  return dropped
}

/** Visits the own attributes of what the app handed in; what throws when it is read is refused. */
export function eachAttribute(
  attributes: Attributes,
  visit: (key: string, value: unknown) => void
): void {
  if (typeof attributes !== 'object' || attributes === null) return
  try {
    for (const key in attributes) {
      if (key !== '' && Object.hasOwn(attributes, key)) visit(key, valueAt(attributes, key))
    }
  } catch {
    // A Proxy that does not tell its keys.
    visit('unreadable', UNREADABLE)
  }
}

function valueAt(attributes: Attributes, key: string): unknown {
  try {
    return attributes[key]
  } catch {
    return UNREADABLE
  }
}

/** Whether a value that was not admitted is a loss: undefined and null are how one says "none". */
export function isRefused(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** The value as it may be kept; undefined when it is none (a function, a symbol, a bigint). */
export function admittedValue(value: unknown, charsMax: number): AnyValue {
  switch (typeof value) {
    case 'string':
      return value.length > charsMax || value.length > CHARS_MAX
        ? cutText(value, Math.min(charsMax, CHARS_MAX))
        : value
    case 'number':
    case 'boolean':
      return value
    case 'object':
      return value === null ? undefined : new Copy(charsMax).of(value)
    default:
      return undefined
  }
}

/** Copies one list, map or byte string, and counts what of it there is room for. */
class Copy {
  readonly #charsMax: number
  #elements = ELEMENTS_MAX
  #chars = CHARS_MAX

  constructor(charsMax: number) {
    this.#charsMax = charsMax
  }

  of(value: object): AnyValue {
    try {
      return this.#object(value, 1)
    } catch {
      return undefined
    }
  }

  #element(value: unknown, depth: number): AnyValue {
    if (typeof value === 'object' && value !== null) {
      return depth < DEPTH_MAX ? (this.#object(value, depth + 1) ?? null) : null
    }
    const admitted = admittedValue(value, Math.min(this.#charsMax, this.#chars))
    if (typeof admitted === 'string') this.#chars -= admitted.length
    return admitted ?? null
  }

  #object(value: object, depth: number): AnyValue {
    if (value instanceof Uint8Array) {
      // A Buffer's own `slice` would not copy.
      const bytes = new Uint8Array(value.subarray(0, Math.min(this.#charsMax, this.#chars)))
      this.#chars -= bytes.length
      return bytes
    }
    if (ArrayBuffer.isView(value)) return undefined
    if (Array.isArray(value)) return this.#list(value, depth)
    return this.#asText(value) ?? this.#map(value, depth)
  }

  /** Of a Date, a URL and their like, which have no own keys and say themselves what they are as a text. */
  #asText(value: object): string | undefined {
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON !== 'function') return undefined
    const text: unknown = Reflect.apply(toJSON, value, [])
    if (typeof text !== 'string') return undefined
    const cut = cutText(text, Math.min(this.#charsMax, this.#chars))
    this.#chars -= cut.length
    return cut
  }

  #list(list: readonly unknown[], depth: number): AnyValue[] {
    const copied: AnyValue[] = []
    for (let index = 0; index < list.length && this.#elements > 0; index++) {
      this.#elements--
      copied.push(this.#element(list[index], depth))
    }
    return copied
  }

  #map(map: object, depth: number): Record<string, AnyValue> {
    const copied: Record<string, AnyValue> = {}
    for (const key in map) {
      if (!Object.hasOwn(map, key)) continue
      if (this.#elements-- <= 0) break
      // Not by assignment: a key may be '__proto__'.
      Object.defineProperty(copied, cutText(key, KEY_CHARS_MAX), {
        value: this.#element((map as Record<string, unknown>)[key], depth),
        enumerable: true,
        configurable: true,
        writable: true
      })
    }
    return copied
  }
}

export function attributesObject(flat: FlatAttributes): Attributes {
  const attributes: Attributes = {}
  for (let index = 0; index < flat.length; index += 2) {
    attributes[flat[index] as string] = flat[index + 1]
  }
  return attributes
}
