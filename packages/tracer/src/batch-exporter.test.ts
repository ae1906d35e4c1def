import { ROOT_CONTEXT } from '@opentelemetry/api'
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BatchExporter, type SpanExporter } from './batch-exporter.ts'
import { SpanProcessors } from './compat.ts'
import { createGuard } from './lib/guard.ts'
import type { RecordingSpan } from './trace/span.ts'
import { testTracer } from './tracer.testkit.ts'

type Callback = Parameters<SpanExporter['export']>[1]

/** Answers when it is told to. */
class SlowExporter implements SpanExporter {
  readonly batches: RecordingSpan[][] = []
  readonly callbacks: Callback[] = []
  readonly ends: string[] = []
  export(spans: RecordingSpan[], callback: Callback): void {
    this.batches.push(spans)
    this.callbacks.push(callback)
  }
  async forceFlush() {
    this.ends.push('forceFlush')
  }
  async shutdown() {
    this.ends.push('shutdown')
  }
  answer(code = 0): void {
    for (const callback of this.callbacks.splice(0)) callback({ code })
  }
}

function batching(exporter: SpanExporter) {
  const said: unknown[][] = []
  const notify = (...facts: unknown[]) => void said.push(facts)
  const { tracer, contexts, ended } = testTracer()
  const batch = new BatchExporter({
    exporter,
    notify,
    guard: createGuard(notify),
    run: (context, fn) => contexts.run(context, fn)
  })
  const add = (count: number) => {
    for (let index = 0; index < count; index++) {
      tracer.startSpan('a').end()
      batch.onEnd(ended.at(-1)!)
    }
  }
  return { batch, add, said, contexts, tracer }
}

describe('the batches of an exporter', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('leave 5 s after the first span, or with the 512th', async () => {
    const exporter = new SlowExporter()
    const { add } = batching(exporter)
    add(511)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(exporter.batches).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(exporter.batches.map((spans) => spans.length)).toEqual([511])
    exporter.answer()
    await vi.advanceTimersByTimeAsync(0)
    add(512)
    expect(exporter.batches.map((spans) => spans.length)).toEqual([511, 512])
  })

  it('wait for each other, and 2,048 spans wait, not one more', async () => {
    const exporter = new SlowExporter()
    const { add, batch, said } = batching(exporter)
    add(512 + 2_048)
    expect(exporter.batches).toHaveLength(1)
    expect(batch.dropped).toBe(0)
    add(2)
    expect(batch.dropped).toBe(2)
    expect(said).toEqual([['EXPORT_DROPPED', 1, 'its queue holds 2048']])
    for (let round = 0; round < 5; round++) {
      exporter.answer()
      await vi.advanceTimersByTimeAsync(0)
    }
    expect(exporter.batches.map((spans) => spans.length)).toEqual([512, 512, 512, 512, 512])
  })

  it('that are refused, or not answered in 30 s, are dropped and said once', async () => {
    const exporter = new SlowExporter()
    const { add, batch, said } = batching(exporter)
    add(512)
    exporter.answer(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(batch.dropped).toBe(512)
    add(512)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(batch.dropped).toBe(512)
    await vi.advanceTimersByTimeAsync(1)
    expect(batch.dropped).toBe(1_024)
    expect(said).toEqual([['EXPORT_DROPPED', 512, 'it failed']])
  })

  it('are all gone after forceFlush and shutdown, and nothing comes after that', async () => {
    const exporter = new SlowExporter()
    const { add, batch } = batching(exporter)
    add(600)
    const flushed = batch.forceFlush()
    exporter.answer()
    await vi.advanceTimersByTimeAsync(0)
    exporter.answer()
    await flushed
    expect(exporter.batches.map((spans) => spans.length)).toEqual([512, 88])
    await batch.shutdown()
    await batch.shutdown()
    add(1_000)
    expect(exporter.batches).toHaveLength(2)
    expect(exporter.ends).toEqual(['forceFlush', 'shutdown'])
  })

  it('end a flush though each export brings about another span', async () => {
    let add: (count: number) => void = () => {}
    let exports = 0
    const parts = batching({
      export(_spans, callback) {
        exports++
        add(1)
        callback({ code: 0 })
      },
      shutdown: async () => {}
    })
    add = parts.add
    add(1)
    await parts.batch.forceFlush()
    expect(exports).toBe(1)
  })

  it('are no trace of their own, and an exporter that throws harms nobody', async () => {
    let recording: boolean | undefined
    const { add, batch, tracer, said } = batching({
      export() {
        recording = tracer.startSpan('request').isRecording()
        throw new Error('no')
      },
      shutdown: async () => {}
    })
    add(1)
    await batch.forceFlush()
    expect(recording).toBe(false)
    expect(batch.dropped).toBe(1)
    expect(said.map(([code]) => code)).toEqual(['INSTRUMENT_FAULT', 'EXPORT_DROPPED'])
  })

  it('go out at the exit, for exporters that work at once', () => {
    const memory = new InMemorySpanExporter()
    const { add, batch } = batching(memory as SpanExporter)
    add(3)
    batch.exportAtExit()
    expect(memory.getFinishedSpans()).toHaveLength(3)
  })
})

describe('processors', () => {
  it('that never answer hold nobody for longer than is allowed', async () => {
    const processors = new SpanProcessors(createGuard(() => {}))
    processors.add({
      onStart() {},
      onEnd() {},
      forceFlush: () => new Promise(() => {}),
      shutdown() {
        throw new Error('at once')
      }
    })
    await processors.forceFlush(5)
    await processors.shutdown(5)
  })

  it('that are none, or throw what cannot be shown, are reported and harm nobody', () => {
    const said: unknown[][] = []
    const processors = new SpanProcessors(
      createGuard((code, ...facts) => void said.push([code, ...facts]))
    )
    processors.add(null as never)
    expect(processors.isEmpty).toBe(true)
    const unreadable = Object.defineProperty(new Error(), 'stack', {
      get() {
        throw new Error('unreadable')
      }
    })
    for (const fault of [Symbol('fault'), unreadable]) {
      processors.add({
        onStart() {
          throw fault
        },
        onEnd() {
          throw fault
        },
        async forceFlush() {},
        async shutdown() {}
      })
    }
    const span = {} as RecordingSpan
    processors.started(span, ROOT_CONTEXT)
    processors.ended(span)
    expect(said.map(([, place]) => place)).toEqual([
      'addSpanProcessor',
      "a span processor's onStart",
      "a span processor's onEnd"
    ])
  })
})
