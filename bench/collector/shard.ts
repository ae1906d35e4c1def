/**
 * What a shard costs per span, from compressed payload to decided trace: inflate, scan, span
 * metrics, stitch, edges, self time, and inflating again what is kept. Rows are counted and not
 * encoded, because that price is the store's. `npm run -s collector:shard`, `-- --json` for
 * machines. About ten seconds.
 *
 * The load: 20 services; traces of 12 spans over four of them, each service sending its own spans
 * in payloads of 512; ten seconds of 12,000 spans each, then a pause in which all is decided.
 */
import { strict as assert } from 'node:assert'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createScanner, StringTable } from '@spanloom/otlp'
import { deriveOptions } from '../../packages/collector/src/derive/options.ts'
import type { JournalRecord } from '../../packages/collector/src/model/journal-record.ts'
import { WANTED_KEYS } from '../../packages/collector/src/model/wanted-keys.ts'
import {
  pipelineOptions,
  type ShardOptions
} from '../../packages/collector/src/pipeline/options.ts'
import { createShard } from '../../packages/collector/src/pipeline/shard.ts'
import { sampleOptions } from '../../packages/collector/src/sample/options.ts'
import { stitchOptions } from '../../packages/collector/src/stitch/options.ts'
import { measure, report } from '../lib/measure.ts'
import { servicePayloads } from './payloads.ts'

const SECONDS = 10
const TRACES_PER_SECOND = 1000
const UNIX_MS = 1_800_000_000_000

const declared = { ...stitchOptions, ...deriveOptions, ...sampleOptions, ...pipelineOptions }
const options = Object.fromEntries(
  Object.entries(declared).map(([name, option]) => [name, option.default])
) as unknown as ShardOptions

const { records, spanCount } = load()
const payloads = records.flatMap((record) => (record.kind === 'payload' ? [record] : []))

const BASE = 'inflate and scan'
const prices = measure(
  [
    { name: BASE, run: scanAll },
    { name: 'records to decided traces', run: () => runShard(0, 1) },
    { name: 'the same, as one of two shards', run: () => runShard(0, 2) }
  ],
  5,
  500
)
const bytes = payloads.reduce((sum, payload) => sum + payload.bytes.length, 0)
report(`Shard, ${spanCount} spans, ${Math.round(bytes / spanCount)} B each`, 'spans', prices, BASE)

function scanAll(): number {
  const limits = { stringsMax: 100_000, bytesMax: 16 << 20, stringBytesMax: 1024 }
  const scanner = createScanner(WANTED_KEYS, new StringTable(limits))
  let spans = 0
  for (const payload of payloads) spans += scanner.scan(gunzipSync(payload.bytes)).count
  assert.equal(spans, spanCount)
  return spans
}

function runShard(shard: number, shardCount: number): number {
  let kept = 0
  let rows = 0
  const worker = createShard({
    shard,
    shardCount,
    options,
    inflate: (compressed) => gunzipSync(compressed),
    encoder: {
      addTrace: (trace) => {
        kept += trace.spans.length
        rows++
      },
      addSpanMetrics: () => rows++,
      addEdge: () => rows++,
      get rowCount() {
        return rows
      },
      take: () => {
        rows = 0
        return []
      }
    },
    emit: () => {}
  })
  worker.restore('bench', undefined)
  worker.live()
  for (const record of records) worker.accept(record)
  if (shardCount === 1) assert.equal(kept, spanCount)
  else assert.ok(kept > 0)
  return kept
}

function load(): { records: JournalRecord[]; spanCount: number } {
  const made: JournalRecord[] = []
  const head = (clockMs: number) => ({
    position: made.length,
    clockMs,
    receivedUnixMs: UNIX_MS + clockMs
  })
  let spans = 0
  for (let second = 0; second < SECONDS; second++) {
    const sent = servicePayloads(TRACES_PER_SECOND, UNIX_MS + second * 1000, second + 1)
    for (const payload of sent) {
      spans += payload.spanCount
      const bytes = new Uint8Array(gzipSync(payload.bytes))
      const clockMs = second * 1000 + 500
      made.push({ kind: 'payload', compression: 'gzip', bytes, ...head(clockMs) })
    }
    for (const half of [500, 1000]) made.push({ kind: 'tick', ...head(second * 1000 + half) })
  }
  for (let tick = 1; tick <= 30; tick++) {
    made.push({ kind: 'tick', ...head(SECONDS * 1000 + tick * 500) })
  }
  return { records: made, spanCount: spans }
}
