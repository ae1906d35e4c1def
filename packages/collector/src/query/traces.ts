/**
 * The list of traces, newest first, and one trace.
 *
 * The window is searched in slices, newest first, each eight times as long as the one before: a
 * question with many answers reads minutes, whatever the window, and one with few reads it all. A
 * search that takes too long stops between slices, says how far it has looked, and gives a cursor.
 */
import {
  LIMITS,
  type RouteParams,
  type TraceResponse,
  type TraceSummary,
  type TracesResponse
} from '@spanloom/query-api'
import { CollectorError } from '../errors.ts'
import type { SpanStore, TraceQuery } from '../store/span-store.ts'
import { BEFORE_ALL_TRACE_IDS, decodeCursor, encodeCursor, type TraceCursor } from './cursor.ts'
import { exactWindow } from './window.ts'

const LIMIT_DEFAULT = 20
const FIRST_SLICE_MS = 15 * 60_000
const SLICE_GROWTH = 8
/** After this no new slice is begun. */
const SEARCH_MS_MAX = 4_000

export async function askTraces(
  store: SpanStore,
  params: RouteParams<'traces'>,
  nowUnixMs: () => number,
  signal: AbortSignal
): Promise<TracesResponse> {
  const startedAt = nowUnixMs()
  const window = exactWindow(params, startedAt)
  const limit = params.limit ?? LIMIT_DEFAULT
  if (!Number.isInteger(limit)) {
    throw new CollectorError('QUERY_BAD_PARAM', ['"limit" must be a whole number.'])
  }
  const query = { ...conditionsOf(params), ...window, limit: limit + 1 }
  const found: TraceSummary[] = []
  let sliceMs = FIRST_SLICE_MS
  let after = query.after
  let to = after === undefined ? window.toUnixMs : Math.min(window.toUnixMs, msAfter(after))
  while (to > window.fromUnixMs) {
    const from = Math.max(window.fromUnixMs, to - sliceMs)
    const slice = { ...query, fromUnixMs: from, toUnixMs: to, limit: limit + 1 - found.length }
    found.push(...(await store.findTraces(slice, signal)))
    if (found.length > limit) return page(found, limit)
    to = from
    sliceMs *= SLICE_GROWTH
    if (to > window.fromUnixMs && nowUnixMs() - startedAt > SEARCH_MS_MAX) {
      after = { startUnixNano: nanoOf(to), traceId: BEFORE_ALL_TRACE_IDS }
      return { traces: found, nextCursor: encodeCursor(after), searchedFromUnixMs: to }
    }
  }
  return { traces: found, searchedFromUnixMs: window.fromUnixMs }
}

/** @throws CollectorError QUERY_TRACE_NOT_FOUND, QUERY_BAD_PARAM */
export async function askTrace(
  store: SpanStore,
  params: RouteParams<'trace'>,
  signal: AbortSignal
): Promise<TraceResponse> {
  const traceId = params.traceId.toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(traceId)) {
    throw new CollectorError('QUERY_BAD_PARAM', ['A trace id has 32 hex digits.'])
  }
  const trace = await store.getTrace(traceId, LIMITS.spansPerTrace, signal)
  if (trace === undefined) throw new CollectorError('QUERY_TRACE_NOT_FOUND', [traceId])
  return trace
}

function page(found: readonly TraceSummary[], limit: number): TracesResponse {
  const traces = found.slice(0, limit)
  const { startTimeUnixNano, traceId } = traces.at(-1)!
  return {
    traces,
    nextCursor: encodeCursor({ startUnixNano: startTimeUnixNano, traceId }),
    searchedFromUnixMs: Number(BigInt(startTimeUnixNano) / 1_000_000n)
  }
}

type Conditions = Omit<TraceQuery, 'fromUnixMs' | 'toUnixMs' | 'limit'>

function conditionsOf(params: RouteParams<'traces'>): Conditions {
  const { service, operation, minDurationMs, maxDurationMs, status, cursor } = params
  return {
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(minDurationMs === undefined ? {} : { minDurationMs }),
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    ...(status === undefined ? {} : { status }),
    ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
    attributes: (params.attribute ?? []).map(attributeOf)
  }
}

/** A value may have a "=" in it, so the first one counts. */
function attributeOf(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf('=')
  if (at < 1) {
    const sentence = `"attribute" must be key=value, with the key first; "${text}" is not.`
    throw new CollectorError('QUERY_BAD_PARAM', [sentence])
  }
  return { key: text.slice(0, at), value: text.slice(at + 1) }
}

/** The first millisecond after the cursor's time: what the slice must end at to hold it. */
function msAfter({ startUnixNano }: TraceCursor): number {
  return Number(BigInt(startUnixNano) / 1_000_000n) + 1
}

function nanoOf(unixMs: number): string {
  return String(BigInt(Math.ceil(unixMs)) * 1_000_000n)
}
