/**
 * All SQL of the span store.
 *
 * A list of traces is made in two steps, because a trace has several rows (its parts), and each
 * part may begin earlier than the others:
 *
 *   1. `selectCandidates`: parts in the window, newest first, as (start, trace id). A part is taken
 *      when it satisfies the conditions by itself or when its trace has late parts.
 *   2. `selectSummaries`: the whole traces of those ids, from `trace_parts`, with the conditions
 *      applied to the whole.
 *
 * A trace is listed at its earliest part and nowhere else, so pages have neither gaps nor repeats.
 */
import type { TraceQuery } from '../span-store.ts'
import { lit, traceIdLit, uint64, unixNanoOfMs } from './lit.ts'
import { BUCKET_SECONDS, DATABASE } from './schema.ts'

export interface TraceKey {
  readonly startUnixNano: string
  readonly traceId: string
}

/** Half-open, nanoseconds. */
export interface NanoRange {
  readonly from: bigint
  readonly to: bigint
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn
const BUCKET_NANO = BigInt(BUCKET_SECONDS) * 1_000_000_000n
const STATUS_ERROR = 2

export function rangeOf(query: TraceQuery): NanoRange {
  return { from: clamp(unixNanoOfMs(query.fromUnixMs)), to: clamp(unixNanoOfMs(query.toUnixMs)) }
}

function clamp(nano: bigint): bigint {
  return nano < 0n ? 0n : nano > UINT64_MAX ? UINT64_MAX : nano
}

/** Resources that have all of some attributes; asked once an attribute. */
export function selectResourceIds(key: string, value: string): string {
  return `SELECT DISTINCT toString(resource_id) FROM ${DATABASE}.resources
WHERE attributes[${lit(key)}] = ${lit(value)} AND mapContains(attributes, ${lit(key)})`
}

/** By index of `query.attributes`: the resources that have it. */
export type ResourcesByAttribute = readonly (readonly string[])[]

/** Rows: [start, trace id], newest first. */
export function selectCandidates(
  query: TraceQuery,
  range: NanoRange,
  after: TraceKey | undefined,
  resources: ResourcesByAttribute,
  limit: number
): string {
  const conditions = [inRange('start_nano', range)]
  if (after !== undefined) {
    const start = uint64(after.startUnixNano)
    conditions.push(
      `(start_nano < ${start} OR (start_nano = ${start} AND trace_id < ${traceIdLit(after.traceId)}))`,
      `start_nano <= ${start}`
    )
  }
  const spans = spanConditions(query, resources)
  if (spans.length > 0) {
    conditions.push(`trace_id IN (${selectTraceIdsOfSpans(spans, range)})`)
  }
  const whole = traceConditions(query, {
    duration: 'end_nano - start_nano',
    errorCount: 'error_count',
    hasService: (service) => `has(services, ${service})`
  })
  if (whole.length > 0) {
    conditions.push(`((${whole.join(' AND ')}) OR trace_id IN (
  SELECT trace_id FROM ${DATABASE}.traces WHERE late = 1))`)
  }
  return `SELECT toString(start_nano), lower(hex(trace_id)) FROM ${DATABASE}.traces
WHERE ${conditions.join('\n  AND ')}
ORDER BY start_nano DESC, trace_id DESC
LIMIT ${limit}`
}

/**
 * Rows: [trace id, start, duration, root service, root operation, root status, span count, error
 * count, services], newest first.
 */
export function selectSummaries(
  query: TraceQuery,
  range: NanoRange,
  after: TraceKey | undefined,
  traceIds: readonly string[]
): string {
  const having = [
    inRange('first', range),
    ...traceConditions(query, {
      duration: 'last - first',
      errorCount: 'errors',
      hasService: (service) => `has(all_services, ${service})`
    })
  ]
  if (after !== undefined) {
    const start = uint64(after.startUnixNano)
    having.push(
      `(first < ${start} OR (first = ${start} AND trace_id < ${traceIdLit(after.traceId)}))`
    )
  }
  return `SELECT lower(hex(trace_id)), toString(min(start_nano) AS first), toString(max(end_nano) - first),
  argMin(root_service, (root_rank, start_nano)), argMin(root_operation, (root_rank, start_nano)),
  argMin(root_status, (root_rank, start_nano)), sum(span_count), sum(error_count) AS errors,
  arraySort(groupUniqArrayArray(services)) AS all_services, max(end_nano) AS last
FROM ${DATABASE}.trace_parts
WHERE trace_id IN (${traceIds.map(traceIdLit).join(', ')})
GROUP BY trace_id
HAVING ${having.join('\n  AND ')}
ORDER BY first DESC, trace_id DESC`
}

/** Rows: [start, end] of each part. */
export function selectParts(traceId: string): string {
  return `SELECT toString(start_nano), toString(end_nano) FROM ${DATABASE}.trace_parts
WHERE trace_id = ${traceIdLit(traceId)} ORDER BY start_nano LIMIT ${PARTS_MAX}`
}

/** A trace with more parts than this has spans in most batches: its first to last bucket is read. */
export const PARTS_MAX = 1_000

/** Spans of one trace, the earliest first, from the buckets that its parts cover. */
export function selectSpans(traceId: string, parts: readonly NanoRange[], limit: number): string {
  return `SELECT lower(hex(span_id)), lower(hex(parent_span_id)), service, name, kind, status,
  status_message, toString(start_nano), toString(duration_nano),
  toString(self_time_nano), scope_name,
  toString(resource_id), attributes, arrayMap(time -> toString(time), event_time_nano), event_name,
  event_attributes, link_trace_id, link_span_id, link_attributes
FROM ${DATABASE}.spans
WHERE trace_id = ${traceIdLit(traceId)} AND (${inBuckets(parts)})
ORDER BY start_nano, span_id
LIMIT ${limit}`
}

/** Rows: [trace id, start, end] of each trace that is there. */
export function selectExtents(traceIds: readonly string[]): string {
  return `SELECT lower(hex(trace_id)), toString(min(start_nano)), toString(max(end_nano))
FROM ${DATABASE}.trace_parts
WHERE trace_id IN (${traceIds.map(traceIdLit).join(', ')})
GROUP BY trace_id`
}

/** Rows: [trace id, span id] of the spans that took so long, from the buckets that the traces cover. */
export function selectLongSpans(
  traceIds: readonly string[],
  extents: readonly NanoRange[],
  durationMsMin: number
): string {
  return `SELECT lower(hex(trace_id)), lower(hex(span_id)) FROM ${DATABASE}.spans
WHERE trace_id IN (${traceIds.map(traceIdLit).join(', ')})
  AND duration_nano >= ${uint64(unixNanoOfMs(durationMsMin))} AND (${inBuckets(extents)})
LIMIT ${LONG_SPANS_MAX}`
}

/** Far beyond the open spans that are held, each of which is one of them at most. */
const LONG_SPANS_MAX = 20_000

/** Rows: [resource id, attributes]. */
export function selectResources(ids: readonly string[]): string {
  return `SELECT toString(resource_id), attributes FROM ${DATABASE}.resources
WHERE resource_id IN (${ids.map(uint64).join(', ')}) LIMIT 1 BY resource_id`
}

/** Row: [spans, traces]. A trace with late parts counts once, by its first part. */
export const SELECT_COUNTS = `SELECT (SELECT count() FROM ${DATABASE}.spans),
  (SELECT count() FROM ${DATABASE}.traces WHERE late = 0)`

function inRange(column: string, { from, to }: NanoRange): string {
  return `${column} >= ${uint64(from)} AND ${column} < ${uint64(to)}`
}

/**
 * Traces with a span that satisfies all conditions. It must lie between the window's start and the
 * latest end of a trace that begins in the window, late parts included.
 */
function selectTraceIdsOfSpans(conditions: readonly string[], range: NanoRange): string {
  const inWindow = `SELECT trace_id FROM ${DATABASE}.traces WHERE ${inRange('start_nano', range)}`
  const latestEnd = `(SELECT max(end_nano) FROM ${DATABASE}.traces
    WHERE (${inRange('start_nano', range)})
      OR (late = 1 AND start_nano >= ${uint64(range.to)} AND trace_id IN (${inWindow})))`
  return `
  SELECT trace_id FROM ${DATABASE}.spans
  WHERE start_nano >= ${uint64(range.from)} AND bucket >= toUInt32(${range.from / BUCKET_NANO})
    AND start_nano <= ${latestEnd}
    AND bucket <= intDiv(${latestEnd}, ${BUCKET_NANO})
    AND ${conditions.join('\n    AND ')}`
}

/**
 * What one and the same span must satisfy. A service alone needs no span: a trace knows its
 * services. Durations and the status speak of the whole trace unless something names spans.
 */
function spanConditions(query: TraceQuery, resources: ResourcesByAttribute): readonly string[] {
  const { service, operation, attributes } = query
  const ofSpans = service !== undefined || operation !== undefined
  const conditions: string[] = []
  if (operation !== undefined) conditions.push(`name = ${lit(operation)}`)
  if (ofSpans && query.minDurationMs !== undefined) {
    conditions.push(`duration_nano >= ${uint64(unixNanoOfMs(query.minDurationMs))}`)
  }
  if (ofSpans && query.maxDurationMs !== undefined) {
    conditions.push(`duration_nano <= ${uint64(unixNanoOfMs(query.maxDurationMs))}`)
  }
  if (query.status === 'error' && (ofSpans || attributes.length > 0)) {
    conditions.push(`status = ${STATUS_ERROR}`)
  }
  for (const [index, attribute] of attributes.entries()) {
    conditions.push(attributeCondition(attribute, resources[index] ?? []))
  }
  if (conditions.length > 0 && service !== undefined) conditions.push(`service = ${lit(service)}`)
  return conditions
}

function attributeCondition(
  { key, value }: TraceQuery['attributes'][number],
  resourceIds: readonly string[]
): string {
  const keyValue = lit(`${key}=${value}`)
  // The first condition is what the bloom index answers; keys with a "=" make the second needed.
  const onSpan = `has(arrayMap((k, v) -> concat(k, '=', v), mapKeys(attributes), mapValues(attributes)), ${keyValue})
      AND mapContains(attributes, ${lit(key)}) AND attributes[${lit(key)}] = ${lit(value)}`
  if (resourceIds.length === 0) return onSpan
  return `((${onSpan}) OR resource_id IN (${resourceIds.map(uint64).join(', ')}))`
}

/** What the trace as a whole must satisfy, in the words of its parts or of their sum. */
function traceConditions(
  query: TraceQuery,
  words: {
    readonly duration: string
    readonly errorCount: string
    readonly hasService: (service: string) => string
  }
): readonly string[] {
  const { service, operation, attributes } = query
  const ofSpans = service !== undefined || operation !== undefined
  const conditions: string[] = []
  if (service !== undefined) conditions.push(words.hasService(lit(service)))
  if (!ofSpans && query.minDurationMs !== undefined) {
    conditions.push(`${words.duration} >= ${uint64(unixNanoOfMs(query.minDurationMs))}`)
  }
  if (!ofSpans && query.maxDurationMs !== undefined) {
    conditions.push(`${words.duration} <= ${uint64(unixNanoOfMs(query.maxDurationMs))}`)
  }
  if (query.status === 'ok') conditions.push(`${words.errorCount} = 0`)
  if (query.status === 'error' && !ofSpans && attributes.length === 0) {
    conditions.push(`${words.errorCount} > 0`)
  }
  return conditions
}

function inBuckets(parts: readonly NanoRange[]): string {
  return mergeBuckets(parts)
    .map(([from, to]) => `bucket BETWEEN toUInt32(${from}) AND toUInt32(${to})`)
    .join(' OR ')
}

/** [first, last] bucket of each part, those that touch put together. */
function mergeBuckets(parts: readonly NanoRange[]): readonly (readonly [bigint, bigint])[] {
  const sorted = parts
    .map(({ from, to }): [bigint, bigint] => [from / BUCKET_NANO, to / BUCKET_NANO])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const merged: [bigint, bigint][] = []
  for (const [from, to] of sorted) {
    const last = merged.at(-1)
    if (last === undefined || from > last[1] + 1n) merged.push([from, to])
    else if (to > last[1]) last[1] = to
  }
  if (parts.length < PARTS_MAX) return merged
  return [[merged[0]![0], UINT32_MAX]]
}

const UINT32_MAX = 0xffff_ffffn
