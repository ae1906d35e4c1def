/**
 * The engine's configuration file. Its defaults are for a server with the machine to itself (5 GB
 * of mark cache, 16 merge threads); here it is one of three processes on a small machine.
 */

export const ENGINE_MEMORY_BYTES_MAX = 1_200_000_000

/** For every SELECT; `engine-host.ts` appends them. */
export const SELECT_SECONDS_MAX = 10
export const SELECT_MEMORY_BYTES_MAX = 500_000_000
export const SELECT_ROWS_MAX = 200_000
export const SELECT_RESULT_BYTES_MAX = 256_000_000
const SELECT_THREADS_MAX = 2

export const SELECT_SETTINGS = `SETTINGS max_execution_time = ${SELECT_SECONDS_MAX}, \
max_memory_usage = ${SELECT_MEMORY_BYTES_MAX}, \
max_result_rows = ${SELECT_ROWS_MAX}, \
max_result_bytes = ${SELECT_RESULT_BYTES_MAX}, \
result_overflow_mode = 'throw', \
max_threads = ${SELECT_THREADS_MAX}, \
output_format_json_quote_64bit_integers = 0`

/** One thread: the rows of a file then form the same blocks, and tokens, each time. */
export const INSERT_SETTINGS = 'max_threads = 1, max_insert_threads = 1, max_execution_time = 0'

const CONFIG: Readonly<Record<string, number>> = {
  max_server_memory_usage: ENGINE_MEMORY_BYTES_MAX,
  mark_cache_size: 32 << 20,
  index_mark_cache_size: 16 << 20,
  uncompressed_cache_size: 0,
  index_uncompressed_cache_size: 0,
  mmap_cache_size: 100,
  compiled_expression_cache_size: 4 << 20,
  query_condition_cache_size: 4 << 20,
  // Merges: two at a time, as many as there are cores on the smallest machine.
  background_pool_size: 2,
  background_merges_mutations_concurrency_ratio: 1,
  background_common_pool_size: 1,
  background_move_pool_size: 1,
  background_fetches_pool_size: 1,
  background_schedule_pool_size: 1,
  background_buffer_flush_schedule_pool_size: 1,
  background_message_broker_schedule_pool_size: 1,
  background_distributed_schedule_pool_size: 1,
  tables_loader_foreground_pool_size: 1,
  tables_loader_background_pool_size: 1,
  max_thread_pool_size: 48,
  max_thread_pool_free_size: 2
}

/**
 * A part of up to 10 MB is one file instead of two a column: batches come every second, so most
 * parts are small. Parts that were merged away go after 60 s instead of 480.
 */
const MERGE_TREE: Readonly<Record<string, number>> = {
  min_bytes_for_wide_part: 10 << 20,
  old_parts_lifetime: 60
}

export function engineConfigXml(): string {
  return `<clickhouse>\n${elements(CONFIG, '  ')}  <merge_tree>\n${elements(MERGE_TREE, '    ')}  </merge_tree>\n</clickhouse>\n`
}

function elements(values: Readonly<Record<string, number>>, indent: string): string {
  return Object.entries(values)
    .map(([name, value]) => `${indent}<${name}>${value}</${name}>\n`)
    .join('')
}
