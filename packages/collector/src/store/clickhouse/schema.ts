/**
 * The tables, shared by the embedded engine and a ClickHouse server, as ordered migrations.
 *
 *   spans        one row a span, ordered (5-minute bucket, trace id, start): a trace is one or two
 *                granules, and one user's or tenant's spans lie close together
 *   traces       one row a part of a trace, ordered by start: for lists, newest first
 *   trace_parts  the same rows ordered by trace id: what belongs to this trace, and when it was
 *   resources    a resource's attributes once a partition, not in each span
 *   red_10s      calls, errors and durations by service, operation, kind and step
 *   edges_10s    the same for what called what
 *
 * A trace has one part when it is decided, and one more in each batch with late spans of it. Its
 * summary is the sum over its parts, at query time: right before and after any merge.
 *
 * Partitions go by when a batch was cut (`cut_block`), not by what its spans say about the time: a
 * wrong clock in one app can neither shatter an insert into hundreds of parts nor hide from
 * retention, and one insert is one part, which is what deduplication by token wants.
 *
 * Times are UInt64 nanoseconds since 1970: every value that OTLP can carry fits.
 */
import { ROLLUP_STEP_MS } from '../batch-encoder.ts'

export const DATABASE = 'spanloom'

/** Retention drops whole blocks: 6 h keeps 72 h in 13 partitions, and each drop well under 1 s. */
export const CUT_BLOCK_MS = 6 * 3_600_000

/** A span's bucket in the sorting key. */
export const BUCKET_SECONDS = 300

/**
 * Groups rollup rows of one time: a window of minutes over all services reads few granules, and
 * so does a day of one service.
 */
export const ROLLUP_GROUP_MS = 60 * ROLLUP_STEP_MS

/** Columns in the order of the encoder's bytes. `as`: what the encoder writes, where it differs. */
interface Column {
  readonly name: string
  readonly type: string
  readonly as?: string
  readonly codec?: string
}

const ATTRIBUTES = 'Map(LowCardinality(String), String)'
const HISTOGRAM = 'Map(UInt16, UInt64)'
const TIME_CODEC = 'Delta(8), ZSTD(1)'
const CUT_BLOCK: Column = { name: 'cut_block', type: 'UInt32', codec: 'ZSTD(1)' }
const COUNTER = { type: 'SimpleAggregateFunction(sum, UInt64)', as: 'UInt64', codec: 'ZSTD(1)' }

const SPANS: readonly Column[] = [
  CUT_BLOCK,
  { name: 'bucket', type: 'UInt32', codec: 'Delta(4), ZSTD(1)' },
  { name: 'trace_id', type: 'FixedString(16)', codec: 'ZSTD(1)' },
  { name: 'start_nano', type: 'UInt64', codec: TIME_CODEC },
  { name: 'duration_nano', type: 'UInt64', codec: 'T64, ZSTD(1)' },
  { name: 'self_time_nano', type: 'UInt64', codec: 'T64, ZSTD(1)' },
  { name: 'span_id', type: 'FixedString(8)', codec: 'NONE' },
  { name: 'parent_span_id', type: 'FixedString(8)', codec: 'ZSTD(1)' },
  { name: 'service', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'name', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'kind', type: 'UInt8', codec: 'ZSTD(1)' },
  { name: 'status', type: 'UInt8', codec: 'ZSTD(1)' },
  { name: 'status_message', type: 'String', codec: 'ZSTD(1)' },
  { name: 'scope_name', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'resource_id', type: 'UInt64', codec: 'ZSTD(1)' },
  { name: 'attributes', type: ATTRIBUTES, codec: 'ZSTD(1)' },
  { name: 'event_time_nano', type: 'Array(UInt64)', codec: 'ZSTD(1)' },
  { name: 'event_name', type: 'Array(LowCardinality(String))', codec: 'ZSTD(1)' },
  { name: 'event_attributes', type: `Array(${ATTRIBUTES})`, codec: 'ZSTD(1)' },
  { name: 'link_trace_id', type: 'Array(String)', codec: 'ZSTD(1)' },
  { name: 'link_span_id', type: 'Array(String)', codec: 'ZSTD(1)' },
  { name: 'link_attributes', type: `Array(${ATTRIBUTES})`, codec: 'ZSTD(1)' }
]

const TRACES: readonly Column[] = [
  CUT_BLOCK,
  { name: 'start_nano', type: 'UInt64', codec: TIME_CODEC },
  { name: 'end_nano', type: 'UInt64', codec: TIME_CODEC },
  { name: 'trace_id', type: 'FixedString(16)', codec: 'ZSTD(1)' },
  { name: 'late', type: 'UInt8', codec: 'ZSTD(1)' },
  /** Whose word on the root counts: 0 the root itself, 1 the earliest span, 2 a late one. */
  { name: 'root_rank', type: 'UInt8', codec: 'ZSTD(1)' },
  { name: 'root_service', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'root_operation', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'root_status', type: 'UInt8', codec: 'ZSTD(1)' },
  { name: 'span_count', type: 'UInt32', codec: 'ZSTD(1)' },
  { name: 'error_count', type: 'UInt32', codec: 'ZSTD(1)' },
  { name: 'services', type: 'Array(LowCardinality(String))', codec: 'ZSTD(1)' },
  { name: 'keep_reason', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'weight', type: 'Float64', codec: 'ZSTD(1)' }
]

const RESOURCES: readonly Column[] = [
  CUT_BLOCK,
  { name: 'resource_id', type: 'UInt64', codec: 'ZSTD(1)' },
  { name: 'attributes', type: ATTRIBUTES, codec: 'ZSTD(1)' }
]

const MEASURES: readonly Column[] = [
  { name: 'calls', ...COUNTER },
  { name: 'errors', ...COUNTER },
  { name: 'duration_sum_nano', ...COUNTER },
  {
    name: 'durations',
    type: `SimpleAggregateFunction(sumMap, ${HISTOGRAM})`,
    as: HISTOGRAM,
    codec: 'ZSTD(1)'
  }
]

const RED: readonly Column[] = [
  CUT_BLOCK,
  { name: 'step_unix_ms', type: 'UInt64', codec: TIME_CODEC },
  { name: 'service', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'operation', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'kind', type: 'UInt8', codec: 'ZSTD(1)' },
  ...MEASURES
]

const EDGES: readonly Column[] = [
  CUT_BLOCK,
  { name: 'step_unix_ms', type: 'UInt64', codec: TIME_CODEC },
  { name: 'client_type', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'client', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'server_type', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'server', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  { name: 'connection_type', type: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  ...MEASURES,
  {
    name: 'example_trace_id',
    // Any will do, but none, which is all zeros, must not win.
    type: 'SimpleAggregateFunction(max, FixedString(16))',
    as: 'FixedString(16)',
    codec: 'ZSTD(1)'
  }
]

interface Table {
  readonly columns: readonly Column[]
  readonly engine: string
  readonly orderBy: string
  readonly indexes?: readonly string[]
}

const TABLES = {
  spans: {
    columns: SPANS,
    engine: 'MergeTree',
    orderBy: '(bucket, trace_id, start_nano)',
    indexes: [
      `attribute_index arrayMap((k, v) -> concat(k, '=', v), mapKeys(attributes), mapValues(attributes)) TYPE bloom_filter(0.01) GRANULARITY 1`,
      'duration_index duration_nano TYPE minmax GRANULARITY 1',
      'resource_index resource_id TYPE set(256) GRANULARITY 1'
    ]
  },
  traces: { columns: TRACES, engine: 'MergeTree', orderBy: '(start_nano, trace_id)' },
  trace_parts: { columns: TRACES, engine: 'MergeTree', orderBy: '(trace_id, start_nano)' },
  resources: { columns: RESOURCES, engine: 'ReplacingMergeTree', orderBy: 'resource_id' },
  red_10s: {
    columns: RED,
    engine: 'AggregatingMergeTree',
    orderBy: `(intDiv(step_unix_ms, ${ROLLUP_GROUP_MS}), service, operation, kind, step_unix_ms)`
  },
  edges_10s: {
    columns: EDGES,
    engine: 'AggregatingMergeTree',
    orderBy: `(intDiv(step_unix_ms, ${ROLLUP_GROUP_MS}), client_type, client, server_type, server, connection_type, step_unix_ms)`
  }
} as const satisfies Readonly<Record<string, Table>>

export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[]

/** What the encoder hands over, and the tables that its bytes go into. */
export const INSERT_TARGETS: Readonly<Record<string, readonly TableName[]>> = {
  resources: ['resources'],
  spans: ['spans'],
  trace_parts: ['trace_parts', 'traces'],
  red_10s: ['red_10s'],
  edges_10s: ['edges_10s']
}

/**
 * The order in which a batch's rows go in: what makes a trace visible after its spans, and what
 * names a trace after that. A batch that stops half way shows nothing that cannot be opened.
 */
export const INSERT_ORDER = Object.keys(INSERT_TARGETS)

/** The columns of a table's rows, in order, as `file()` and `FORMAT RowBinary` take them. */
export function rowStructure(table: TableName): string {
  return TABLES[table].columns
    .map((column: Column) => `${column.name} ${column.as ?? column.type}`)
    .join(', ')
}

/** Tokens remembered by table: hours of batches, and far more than can be under way at once. */
const DEDUPLICATION_WINDOW = 10_000

function createTable(name: TableName): string {
  const table: Table = TABLES[name]
  const lines = [
    ...table.columns.map((column) => {
      const codec = column.codec === undefined ? '' : ` CODEC(${column.codec})`
      return `${column.name} ${column.type}${codec}`
    }),
    ...(table.indexes ?? []).map((index) => `INDEX ${index}`)
  ]
  return `CREATE TABLE IF NOT EXISTS ${DATABASE}.${name} (\n  ${lines.join(',\n  ')}\n)
ENGINE = ${table.engine}
PARTITION BY cut_block
ORDER BY ${table.orderBy}
SETTINGS non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
}

/** Statements by schema version, oldest first. What was released is never edited, only added to. */
export const MIGRATIONS: readonly { readonly version: number; readonly sql: readonly string[] }[] =
  [{ version: 1, sql: TABLE_NAMES.map(createTable) }]

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version

export const CREATE_VERSION_TABLE = [
  `CREATE DATABASE IF NOT EXISTS ${DATABASE}`,
  `CREATE TABLE IF NOT EXISTS ${DATABASE}.schema_version (version UInt32)
ENGINE = MergeTree ORDER BY version`
] as const

export const SELECT_VERSION = `SELECT max(version) FROM ${DATABASE}.schema_version`

export function insertVersion(version: number): string {
  return `INSERT INTO ${DATABASE}.schema_version SELECT toUInt32(${version})`
}

/** Partitions that hold nothing cut at or after `keepFromUnixMs`: [table, partition]. */
export function selectExpired(keepFromUnixMs: number): string {
  const keepFromBlock = Math.max(0, Math.floor(keepFromUnixMs / CUT_BLOCK_MS))
  const names = TABLE_NAMES.map((name) => `'${name}'`).join(', ')
  return `SELECT DISTINCT table, partition FROM system.parts
WHERE active AND database = '${DATABASE}' AND table IN (${names})
  AND toUInt32OrZero(partition) < ${keepFromBlock}`
}

export function dropPartition(table: string, partition: string): string {
  if (!TABLE_NAMES.includes(table as TableName)) throw new TypeError(`not a table: ${table}`)
  return `ALTER TABLE ${DATABASE}.${table} DROP PARTITION ${Number.parseInt(partition, 10)}`
}
