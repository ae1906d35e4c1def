/** Journal records by hand: payloads and ticks at given times. */
import type { JournalRecord } from '../../src/model/journal-record.ts'
import type { ShardOptions } from '../../src/pipeline/options.ts'
import { defaultOptions, ShardRun } from './harness.ts'
import { encodePayload, KIND, type TestSpan } from './payloads.ts'

export const UNIX_MS = 1_800_000_000_000

/** A span of trace `trace`, small numbers as ids; a server root of service `a` unless told otherwise. */
export function span(
  trace: number,
  id: number,
  parent: number,
  facts: Partial<TestSpan> = {}
): TestSpan {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return {
    traceId: hex(trace, 32),
    spanId: hex(id, 16),
    ...(parent === 0 ? {} : { parentSpanId: hex(parent, 16) }),
    service: 'a',
    name: 'op',
    kind: KIND.SERVER,
    startUnixMs: UNIX_MS,
    durationMs: 10,
    ...facts
  }
}

/** A shard that is fed as one writes it down. */
export class Timeline extends ShardRun {
  readonly records: JournalRecord[] = []

  constructor(changes: Partial<ShardOptions> = {}) {
    super(defaultOptions(changes))
    this.start()
    this.shard.live()
  }

  payload(clockMs: number, ...spans: TestSpan[]): this {
    return this.record({
      kind: 'payload',
      position: this.records.length,
      clockMs,
      receivedUnixMs: UNIX_MS + clockMs,
      compression: 'identity',
      bytes: encodePayload(spans)
    })
  }

  metrics(clockMs: number, bytes: Uint8Array): this {
    return this.record({
      kind: 'metrics',
      position: this.records.length,
      clockMs,
      receivedUnixMs: UNIX_MS + clockMs,
      compression: 'identity',
      bytes
    })
  }

  tick(clockMs: number): this {
    const position = this.records.length
    return this.record({ kind: 'tick', position, clockMs, receivedUnixMs: UNIX_MS + clockMs })
  }

  record(record: JournalRecord): this {
    this.records.push(record)
    this.shard.accept(record)
    return this
  }

  /** Trace numbers in the order they were kept. */
  get kept(): number[] {
    return this.written.traces.map((trace) => Number.parseInt(trace.traceId, 16))
  }
}
