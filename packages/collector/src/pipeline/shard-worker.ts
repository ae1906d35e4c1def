/**
 * A shard on a thread of its own: messages in, messages out, nothing decided here. An error ends
 * the thread; whoever started it hears of it, and a new start repeats from the last checkpoint.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { inflateSync } from '../lib/inflate.ts'
import type { FromShard, ToShard } from '../model/shard-messages.ts'
import { createRowBinaryEncoder } from '../store/clickhouse/encoder.ts'
import type { ShardOptions } from './options.ts'
import { createShard } from './shard.ts'

/** `workerData` of this worker. */
export interface ShardWorkerData {
  readonly shard: number
  readonly shardCount: number
  readonly options: ShardOptions
}

/** Far above what is accepted; a bomb that came past the check must not take the process along. */
const INFLATED_BYTES_MAX = 1024 * 1024 * 1024

const port = parentPort
if (port === null) throw new Error('shard-worker.ts runs as a worker thread.')
const { shard, shardCount, options } = workerData as ShardWorkerData

const thisShard = createShard({
  shard,
  shardCount,
  options,
  encoder: createRowBinaryEncoder(),
  inflate: (bytes, compression) => inflateSync(bytes, compression, INFLATED_BYTES_MAX),
  emit: (output) => port.postMessage(output, buffersOf(output))
})

port.on('message', (message: ToShard) => {
  switch (message.type) {
    case 'restore': {
      const restored = thisShard.restore(message.journalId, message.state)
      port.postMessage({ type: 'restored', ...restored } satisfies FromShard)
      return
    }
    case 'record':
      thisShard.accept(message.record)
      return
    case 'live':
      thisShard.live()
      return
    case 'stored':
      thisShard.stored(message.position)
      return
    case 'snapshot': {
      const { requestId } = message
      const snapshot = thisShard.snapshot()
      port.postMessage({ type: 'snapshot', requestId, snapshot } satisfies FromShard)
    }
  }
})

/** Rows and state are handed over, not copied; each only where it has its buffer to itself. */
function buffersOf(output: FromShard): ArrayBuffer[] {
  const arrays =
    output.type === 'batch'
      ? output.batch.tables.map((table) => table.bytes)
      : output.type === 'checkpoint'
        ? [output.checkpoint.state]
        : []
  const own = arrays.filter((array) => array.byteLength === array.buffer.byteLength)
  return [...new Set(own.map((array) => array.buffer as ArrayBuffer))]
}
