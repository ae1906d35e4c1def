import { describe, expect, it } from 'vitest'
import { keptTrace, spanIdOf, traceIdOf } from '../kept-trace.testkit.ts'
import { createRowBinaryEncoder } from './encoder.ts'
import { CUT_BLOCK_MS } from './schema.ts'

const T0_MS = 1_795_424_400_000
const T0 = BigInt(T0_MS) * 1_000_000n

function traceOf(number: number, startUnixNano = T0) {
  const spans = [{ spanId: spanIdOf(1) }, { spanId: spanIdOf(2), parentSpanId: spanIdOf(1) }]
  return keptTrace({ traceId: traceIdOf(number), startUnixNano, spans })
}

function blocksOf(encoder: ReturnType<typeof createRowBinaryEncoder>, cutUnixMs?: number) {
  return encoder.take(cutUnixMs).map(({ bytes }) => Buffer.from(bytes).readUInt32LE(0))
}

describe('the encoder', () => {
  it('writes a resource once a batch, and again in the next', () => {
    const encoder = createRowBinaryEncoder()
    for (let batch = 0; batch < 2; batch++) {
      encoder.addTrace(traceOf(1))
      encoder.addTrace(traceOf(2))
      expect(encoder.rowCount).toBe(7)
      const counts = encoder.take(T0_MS).map(({ table, rowCount }) => [table, rowCount])
      expect(counts).toEqual([
        ['resources', 1],
        ['spans', 4],
        ['trace_parts', 2]
      ])
      expect(encoder.rowCount).toBe(0)
    }
    expect(encoder.take(T0_MS)).toEqual([])
  })

  it('writes the same bytes for the same calls', () => {
    const [first, second] = [createRowBinaryEncoder(), createRowBinaryEncoder()].map((encoder) => {
      encoder.addTrace(traceOf(1))
      return encoder.take(T0_MS)
    })
    expect(first).toEqual(second)
  })

  it('drops a span that is none, counts it, and goes on', () => {
    const encoder = createRowBinaryEncoder()
    const trace = traceOf(1)
    const broken = { ...trace.spans[1]!, spanOffset: trace.spans[1]!.spanOffset + 1 }
    encoder.addTrace({ ...trace, spans: [trace.spans[0]!, broken] })
    expect(encoder.spansUndecodable).toBe(1)
    const counts = encoder.take(T0_MS).map(({ table, rowCount }) => [table, rowCount])
    expect(counts).toContainEqual(['spans', 1])
    encoder.addTrace({ ...trace, spans: [broken] })
    expect(encoder.spansUndecodable).toBe(2)
    expect(encoder.take(T0_MS).map(({ table }) => table)).not.toContain('trace_parts')
  })

  it('puts all rows into the block of the time that the batch was cut at', () => {
    const encoder = createRowBinaryEncoder()
    encoder.addTrace(traceOf(1, 0n))
    const block = Math.floor(T0_MS / CUT_BLOCK_MS)
    expect(new Set(blocksOf(encoder, T0_MS))).toEqual(new Set([block]))
  })

  it('is not led astray by a few wrong clocks when it is not told the time', () => {
    const encoder = createRowBinaryEncoder()
    for (let number = 1; number <= 5; number++) encoder.addTrace(traceOf(number))
    encoder.addTrace(traceOf(6, 0n))
    encoder.addTrace(traceOf(7, 0xffff_ffff_ffff_ff00n))
    expect(blocksOf(encoder)[0]).toBe(Math.floor(T0_MS / CUT_BLOCK_MS))
  })
})
