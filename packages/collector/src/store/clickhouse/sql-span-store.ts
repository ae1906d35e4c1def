/** The span store on any engine that speaks the SQL of `span-queries.ts`. */
import type {
  SpanEvent,
  SpanKind,
  SpanLink,
  SpanStatus,
  TraceResponse,
  TraceSpan,
  TraceSummary
} from '@spanloom/query-api'
import { CollectorError } from '../../errors.ts'
import type { StoreBatch } from '../../model/store-batch.ts'
import type { SpanStore, TraceQuery } from '../span-store.ts'
import {
  CREATE_VERSION_TABLE,
  dropPartition,
  INSERT_ORDER,
  INSERT_TARGETS,
  insertVersion,
  MIGRATIONS,
  SCHEMA_VERSION,
  SELECT_VERSION,
  selectExpired
} from './schema.ts'
import {
  type NanoRange,
  rangeOf,
  SELECT_COUNTS,
  selectCandidates,
  selectExtents,
  selectLongSpans,
  selectParts,
  selectResourceIds,
  selectResources,
  selectSpans,
  selectSummaries,
  type TraceKey
} from './span-queries.ts'
import type { Row, SqlEngine } from './sql-engine.ts'

const KINDS: readonly SpanKind[] = [
  'unspecified',
  'internal',
  'server',
  'client',
  'producer',
  'consumer'
]
const STATUSES: readonly SpanStatus[] = ['unset', 'ok', 'error']
const NO_PARENT = '0'.repeat(16)

/** Candidates beyond the limit, for late parts that turn out to be of traces listed elsewhere. */
const CANDIDATES_SPARE = 32
const CANDIDATES_MAX = 1_000
const NEVER: AbortSignal = new AbortController().signal

export class SqlSpanStore implements SpanStore {
  readonly #engine: SqlEngine

  constructor(engine: SqlEngine) {
    this.#engine = engine
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#engine.open(signal)
    try {
      await this.#migrate()
    } catch (error) {
      await this.#engine.close()
      throw error
    }
  }

  async write(batch: StoreBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    for (const { table } of batch.tables) {
      if (INSERT_TARGETS[table] !== undefined) continue
      throw new CollectorError('STORE_BATCH_INVALID', [`there is no table "${table}".`])
    }
    const rows = batch.tables
      .filter(({ rowCount }) => rowCount > 0)
      .toSorted((a, b) => INSERT_ORDER.indexOf(a.table) - INSERT_ORDER.indexOf(b.table))
      .map(({ table, bytes }) => ({ tables: INSERT_TARGETS[table]!, bytes }))
    await this.#engine.insert(rows, batch.token)
  }

  async findTraces(query: TraceQuery, signal: AbortSignal): Promise<readonly TraceSummary[]> {
    const range = rangeOf(query)
    const resources = await Promise.all(
      query.attributes.map(async ({ key, value }) => {
        const rows = await this.#engine.select(selectResourceIds(key, value), signal)
        return rows.map(([id]) => id as string)
      })
    )
    const found: TraceSummary[] = []
    let after: TraceKey | undefined = query.after
    let wanted = query.limit + CANDIDATES_SPARE
    while (found.length < query.limit) {
      const sql = selectCandidates(query, range, after, resources, wanted)
      const candidates = (await this.#engine.select(sql, signal)).map(keyOf)
      if (candidates.length === 0) break
      const ids = [...new Set(candidates.map(({ traceId }) => traceId))]
      const rows = await this.#engine.select(selectSummaries(query, range, after, ids), signal)
      const last = candidates.at(-1)!
      // Traces listed before the last candidate are all there; those after it may not be.
      found.push(...rows.map(summaryOf).filter((summary) => !isAfter(summary, last)))
      if (candidates.length < wanted) break
      after = last
      wanted = CANDIDATES_MAX
    }
    return found.slice(0, query.limit)
  }

  async getTrace(
    traceId: string,
    spansMax: number,
    signal: AbortSignal
  ): Promise<TraceResponse | undefined> {
    const parts = (await this.#engine.select(selectParts(traceId), signal)).map(partOf)
    if (parts.length === 0) return undefined
    const rows = await this.#engine.select(selectSpans(traceId, parts, spansMax + 1), signal)
    // The parts are there and the spans are not: retention is dropping them right now.
    if (rows.length === 0) return undefined
    const kept = rows.slice(0, spansMax)
    const ids = [...new Set(kept.map((row) => row[11] as string))]
    const attributesOf = new Map(
      (await this.#engine.select(selectResources(ids), signal)).map(([id, attributes]) => [
        id as string,
        attributes as Readonly<Record<string, string>>
      ])
    )
    const indexOf = new Map(ids.map((id, index) => [id, index]))
    return {
      traceId,
      spans: kept.map((row) => spanOf(row, indexOf.get(row[11] as string)!)),
      resources: ids.map((id) => attributesOf.get(id) ?? {}),
      truncated: rows.length > spansMax
    }
  }

  async findLongSpans(
    traceIds: readonly string[],
    durationMsMin: number,
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    if (traceIds.length === 0) return new Map()
    const rows = await this.#engine.select(selectExtents(traceIds), signal)
    const found = new Map(rows.map(([traceId]) => [traceId as string, new Set<string>()]))
    if (found.size === 0) return found
    const extents = rows.map(([, start, end]) => partOf([start, end] as Row))
    const sql = selectLongSpans([...found.keys()], extents, durationMsMin)
    for (const [traceId, spanId] of await this.#engine.select(sql, signal)) {
      found.get(traceId as string)?.add(spanId as string)
    }
    return found
  }

  async count(signal: AbortSignal): Promise<{ readonly spans: number; readonly traces: number }> {
    const [row] = await this.#engine.select(SELECT_COUNTS, signal)
    return { spans: row![0] as number, traces: row![1] as number }
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  /** Drops partitions with nothing cut at or after `keepFromUnixMs`; how many. */
  async dropExpired(keepFromUnixMs: number): Promise<number> {
    const expired = await this.#engine.select(selectExpired(keepFromUnixMs), NEVER)
    for (const [table, partition] of expired) {
      await this.#engine.command(dropPartition(table as string, partition as string))
    }
    return expired.length
  }

  async #migrate(): Promise<void> {
    for (const sql of CREATE_VERSION_TABLE) await this.#engine.command(sql)
    const [row] = await this.#engine.select(SELECT_VERSION, NEVER)
    const found = (row?.[0] as number | undefined) ?? 0
    if (found > SCHEMA_VERSION) {
      throw new CollectorError('STORE_SCHEMA_NEWER', [found, SCHEMA_VERSION])
    }
    for (const { version, sql } of MIGRATIONS) {
      if (version <= found) continue
      for (const statement of sql) await this.#engine.command(statement)
      await this.#engine.command(insertVersion(version))
    }
  }
}

function keyOf(row: Row): TraceKey {
  return { startUnixNano: row[0] as string, traceId: row[1] as string }
}

function partOf(row: Row): NanoRange {
  return { from: BigInt(row[0] as string), to: BigInt(row[1] as string) }
}

/** Whether a list, newest first, has the trace behind the key. */
function isAfter(trace: TraceSummary, key: TraceKey): boolean {
  const start = BigInt(trace.startTimeUnixNano)
  const keyStart = BigInt(key.startUnixNano)
  return start < keyStart || (start === keyStart && trace.traceId < key.traceId)
}

function summaryOf(row: Row): TraceSummary {
  return {
    traceId: row[0] as string,
    startTimeUnixNano: row[1] as string,
    durationMs: Number(row[2]) / 1e6,
    rootService: row[3] as string,
    rootOperation: row[4] as string,
    rootStatus: STATUSES[row[5] as number] ?? 'unset',
    spanCount: row[6] as number,
    errorCount: row[7] as number,
    services: row[8] as readonly string[]
  }
}

/** Columns as in `selectSpans`. */
function spanOf(row: Row, resource: number): TraceSpan {
  const parentSpanId = row[1] as string
  const statusMessage = row[6] as string
  return {
    spanId: row[0] as string,
    ...(parentSpanId === NO_PARENT ? {} : { parentSpanId }),
    service: row[2] as string,
    name: row[3] as string,
    kind: KINDS[row[4] as number] ?? 'unspecified',
    status: STATUSES[row[5] as number] ?? 'unset',
    ...(statusMessage === '' ? {} : { statusMessage }),
    startTimeUnixNano: row[7] as string,
    durationNano: row[8] as string,
    selfTimeNano: row[9] as string,
    scopeName: row[10] as string,
    attributes: row[12] as Readonly<Record<string, string>>,
    events: eventsOf(row),
    links: linksOf(row),
    resource
  }
}

function eventsOf(row: Row): readonly SpanEvent[] {
  const names = row[14] as readonly string[]
  const attributes = row[15] as readonly Readonly<Record<string, string>>[]
  return (row[13] as readonly string[]).map((timeUnixNano, index) => ({
    timeUnixNano,
    name: names[index]!,
    attributes: attributes[index]!
  }))
}

function linksOf(row: Row): readonly SpanLink[] {
  const spanIds = row[17] as readonly string[]
  const attributes = row[18] as readonly Readonly<Record<string, string>>[]
  return (row[16] as readonly string[]).map((traceId, index) => ({
    traceId,
    spanId: spanIds[index]!,
    attributes: attributes[index]!
  }))
}
