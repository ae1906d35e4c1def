/**
 * AWS X-Ray:
 *
 *   x-amzn-trace-id   Root=1-<8 hex digits>-<24 hex digits>;Parent=<16 hex digits>;Sampled=1
 *
 * `Sampled` is 1, 0 or `?`, which leaves the decision to us: it is to sample.
 */
import type { InertSpan } from '../trace/inert-span.ts'
import { type Headers, oneOf } from './carrier.ts'
import type { Format } from './format.ts'
import { remoteSpan } from './ids.ts'

const HEADER = 'x-amzn-trace-id'
const ROOT = /^1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})$/
/** The header has three parts of ours, and may have a few of others. */
const PARTS_MAX = 16

export const xray: Format = {
  fields: [HEADER],
  extract,
  inject(span, set) {
    const { traceId } = span
    const sampled = span.traceFlags & 1
    const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
    set(HEADER, `Root=${root};Parent=${span.spanId};Sampled=${sampled}`)
  }
}

function extract(headers: Headers): InertSpan | undefined {
  const header = oneOf(headers[HEADER])
  if (header === undefined) return undefined
  let root: RegExpExecArray | null = null
  let parent: string | undefined
  let sampled = true
  for (const part of header.split(';', PARTS_MAX)) {
    const [name, value = ''] = part.trim().split('=', 2)
    if (name === 'Root') root = ROOT.exec(value)
    else if (name === 'Parent') parent = value
    else if (name === 'Sampled') sampled = value !== '0'
  }
  if (root === null || parent === undefined) return undefined
  return remoteSpan(root[1]! + root[2]!, parent, sampled, '')
}
