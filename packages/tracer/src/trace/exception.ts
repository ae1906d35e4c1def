/**
 * What is thrown, as the attributes of an exception event. The stack trace goes on with the causes, and
 * with the errors of an AggregateError, indented under a label as Node prints them:
 *
 *   Error: order failed
 *       at load (/app/orders.js:7:9)
 *     [cause]: TypeError: no such row
 *         at query (/app/db.js:3:5)
 *       [errors][0]: …
 *
 * `stack` is read once for each error: the first read formats it, which is the dearest thing here. Bounds: the
 * depth, the errors of one aggregate, the characters of all. A circle ends with its label.
 */
import type { Attributes } from '@opentelemetry/api'
import { EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '@spanloom/otlp'
import { cutText, textOf } from '../lib/text.ts'

const DEPTH_MAX = 8
const ERRORS_MAX = 16
/** About 300 frames. */
const STACK_CHARS_MAX = 32_768

/** Undefined when the exception says nothing at all. Never throws. */
export function exceptionAttributes(exception: unknown): Attributes | undefined {
  if (!isObject(exception)) {
    return exception === undefined ? undefined : { [EXCEPTION_MESSAGE]: textOf(exception) }
  }
  const attributes: Attributes = {}
  const type = exceptionType(exception)
  const message = read(exception, 'message')
  const stack = stackWithCauses(exception)
  if (type !== '') attributes[EXCEPTION_TYPE] = type
  if (typeof message === 'string') attributes[EXCEPTION_MESSAGE] = message
  if (stack !== '') attributes[EXCEPTION_STACKTRACE] = stack
  return type !== '' || message ? attributes : undefined
}

/** Its code, else its name, else its class; '' for what has none of them. */
export function exceptionType(exception: unknown): string {
  if (!isObject(exception)) return ''
  const code = read(exception, 'code')
  if (typeof code === 'string' || typeof code === 'number') {
    if (code !== '' && code !== 0) return String(code)
  }
  const name = read(exception, 'name')
  // A class that extends Error and sets no name says more than 'Error'.
  if (name !== 'Error') return typeof name === 'string' ? name : ''
  const className = read(read(exception, 'constructor'), 'name')
  return typeof className === 'string' && className !== '' ? className : name
}

export function exceptionMessage(exception: unknown): string {
  const message = isObject(exception) ? read(exception, 'message') : textOf(exception)
  return typeof message === 'string' ? message : ''
}

function stackWithCauses(exception: object): string {
  const parts: string[] = []
  const seen = new Set<object>()
  let room = STACK_CHARS_MAX

  function add(label: string, error: unknown, depth: number): void {
    if (room <= 0) return
    const indent = '  '.repeat(depth)
    const head = label === '' ? '' : `\n${indent}[${label}]: `
    const circular = isObject(error) && seen.has(error)
    const text = circular ? '[Circular]' : stackOf(error, depth)
    if (text === '') return
    const shown = head + (depth === 0 ? text : text.replaceAll('\n', `\n${indent}`))
    parts.push(cutText(shown, room))
    room -= shown.length
    if (circular || !isObject(error)) return
    seen.add(error)
    if (depth === DEPTH_MAX) return
    const errors = read(error, 'errors')
    if (Array.isArray(errors)) {
      const count = Math.min(errors.length, ERRORS_MAX)
      for (let index = 0; index < count; index++) add(`errors][${index}`, errors[index], depth + 1)
    }
    const cause = read(error, 'cause')
    if (cause !== undefined) add('cause', cause, depth + 1)
  }

  try {
    add('', exception, 0)
  } catch {
    // A list of errors that throws when it is read: what was there before it stays.
  }
  return parts.join('')
}

/** The stack; of causes that have none, what they say. */
function stackOf(error: unknown, depth: number): string {
  if (!isObject(error)) return cutText(textOf(error), STACK_CHARS_MAX)
  const stack = read(error, 'stack')
  if (typeof stack === 'string') return cutText(stack, STACK_CHARS_MAX)
  if (depth === 0) return ''
  return cutText(exceptionMessage(error) || textOf(error), STACK_CHARS_MAX)
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Getters and proxies may throw. */
function read(from: unknown, key: string): unknown {
  try {
    return (from as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
