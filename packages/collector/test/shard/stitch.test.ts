import { describe, expect, it } from 'vitest'
import { encodePayload, KIND } from './payloads.ts'
import { span, Timeline, UNIX_MS } from './timeline.ts'

const { CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER } = KIND

describe('duplicates', () => {
  it('are known while the trace is open, and count as nothing else', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).payload(100, span(1, 1, 0))

    expect(line.stats).toMatchObject({ spansAccepted: 1, spansDuplicate: 1, spansLate: 0 })
    expect(line.snapshot().spans.calls).toEqual(Float64Array.of(1))
  })

  it('are known within one payload', () => {
    const line = new Timeline().payload(0, span(1, 1, 0), span(1, 1, 0))

    expect(line.stats).toMatchObject({ spansAccepted: 1, spansDuplicate: 1 })
  })

  it('are known after the trace was decided, and do not open it again', () => {
    const line = new Timeline()
      .payload(0, span(1, 1, 0))
      .tick(2000)
      .payload(3000, span(1, 1, 0))

    expect(line.stats).toMatchObject({ spansAccepted: 1, spansDuplicate: 1, tracesOpen: 0 })
    expect(line.tick(20_000).kept).toEqual([1])
  })

  it('are the same span id in the same trace, not in another', () => {
    const line = new Timeline().payload(0, span(1, 1, 0), span(2, 1, 0))

    expect(line.stats).toMatchObject({ spansAccepted: 2, spansDuplicate: 0, tracesOpen: 2 })
  })

  it('do not keep a trace waiting', () => {
    const line = new Timeline()
      .payload(0, span(1, 1, 0))
      .payload(1500, span(1, 1, 0))
      .tick(2000)

    expect(line.kept).toEqual([1])
  })
})

describe('a settled trace', () => {
  it('completes when it was idle for settledIdleMs, at a tick and not before', () => {
    const line = new Timeline().payload(0, span(1, 1, 0))

    expect(line.tick(1999).kept).toEqual([])
    expect(line.payload(5000, span(2, 1, 0)).kept).toEqual([])
    expect(line.tick(5000).kept).toEqual([1])
  })

  it('waits anew after each span', () => {
    const line = new Timeline()
      .payload(0, span(1, 1, 0))
      .tick(1900)
      .payload(1950, span(1, 2, 1, { kind: INTERNAL }))

    expect(line.tick(3949).kept).toEqual([])
    expect(line.tick(3950).kept).toEqual([1])
  })

  it.each([
    ['a database call', CLIENT, { 'db.system': 'redis' }],
    ['a message sent', PRODUCER, { 'messaging.system': 'kafka' }]
  ])('does not wait for whom %s reached', (_name, kind, attributes) => {
    const line = new Timeline().payload(0, span(1, 1, 0), span(1, 2, 1, { kind, attributes }))

    expect(line.tick(2000).kept).toEqual([1])
  })

  it.each([
    ['a server', CLIENT, SERVER],
    ['a consumer', PRODUCER, CONSUMER]
  ])('has %s for each call', (_name, kind, child) => {
    const call = [span(1, 1, 0), span(1, 2, 1, { kind }), span(1, 3, 1, { kind })]
    const line = new Timeline().payload(0, ...call, span(1, 4, 2, { kind: child, service: 'b' }))

    expect(line.tick(2000).kept).toEqual([])
    line.payload(2500, span(1, 5, 3, { kind: child, service: 'b' }))
    expect(line.tick(4500).kept).toEqual([1])
  })
})

describe('an unsettled trace', () => {
  it.each([
    ['its root', [span(1, 2, 1)]],
    ['a parent', [span(1, 1, 0), span(1, 3, 2)]],
    ['a called service', [span(1, 1, 0), span(1, 2, 1, { kind: CLIENT })]],
    ['any root: two spans are each other’s parents', [span(1, 1, 2), span(1, 2, 1)]]
  ])('misses %s and waits for unsettledIdleMs', (_name, spans) => {
    const line = new Timeline().payload(0, ...spans)

    expect(line.tick(2000).tick(9999).kept).toEqual([])
    expect(line.tick(30_000).kept).toEqual([1])
    expect(line.stats).toMatchObject({ tracesCompleted: 1, tracesDecidedEarly: 0 })
  })

  it('settles with the span that was missing, and is looked at again in time', () => {
    const line = new Timeline()
      .payload(0, span(1, 2, 1))
      .tick(2000)
      .tick(4000)

    line.payload(4100, span(1, 1, 0))
    expect(line.tick(6099).kept).toEqual([])
    expect(line.tick(6100).kept).toEqual([1])
  })

  it('takes a span that is its own parent for a root', () => {
    expect(new Timeline().payload(0, span(1, 1, 1)).tick(2000).kept).toEqual([1])
  })
})

describe('limits decide a trace early', () => {
  it('at its maximum age, however busy it is', () => {
    const line = new Timeline()
    for (let second = 0; second < 60; second++) line.payload(second * 1000, span(1, second + 2, 1))

    expect(line.tick(59_999).stats!.tracesOpen).toBe(1)
    expect(line.tick(60_000).kept).toEqual([1])
    expect(line.stats).toMatchObject({ tracesCompleted: 1, tracesDecidedEarly: 1 })
  })

  it('at spansPerTraceMax; what comes after is late', () => {
    const line = new Timeline({ spansPerTraceMax: 3 })

    line.payload(0, span(1, 1, 0), span(1, 2, 1))
    expect(line.stats).toMatchObject({ tracesOpen: 1, tracesDecidedEarly: 0 })
    line.payload(0, span(1, 3, 1), span(1, 4, 1))
    expect(line.stats).toMatchObject({ tracesDecidedEarly: 1, spansLate: 1, spansAccepted: 4 })
    line.tick(2000)
    expect(line.written.traces.map(({ spans, late }) => [spans.length, late])).toEqual([
      [3, false],
      [1, true]
    ])
  })

  it('at openSpansMax: the oldest', () => {
    const line = new Timeline({ openSpansMax: 4 }).payload(
      0,
      ...[3, 1, 2].map((trace) => span(trace, 1, 0))
    )
    expect(line.stats!.tracesOpen).toBe(3)

    line.payload(10, span(1, 2, 1))
    expect(line.stats).toMatchObject({ tracesOpen: 2, tracesDecidedEarly: 1 })
    expect(line.tick(20).kept).toEqual([3])
  })

  it('at openPayloadBytesMax: the oldest, until it is enough', () => {
    const size = encodePayload([span(1, 1, 0)]).length
    const line = new Timeline({ openPayloadBytesMax: 2 * size })
    for (const trace of [1, 2]) line.payload(trace, span(trace, 1, 0))
    expect(line.stats!.tracesDecidedEarly).toBe(0)

    line.payload(3, span(3, 1, 0), span(3, 2, 1))
    expect(line.stats).toMatchObject({ tracesDecidedEarly: 2, tracesOpen: 1 })
  })

  it('and even one payload beyond the limit is taken', () => {
    const line = new Timeline({ openPayloadBytesMax: 10 }).payload(0, span(1, 1, 0), span(2, 1, 0))

    expect(line.stats).toMatchObject({ spansAccepted: 2, tracesDecidedEarly: 2, tracesOpen: 0 })
    expect(line.tick(1).kept).toEqual([1, 2])
  })
})

describe('late spans', () => {
  it('are counted once, follow the decision, and are stored as late', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).tick(2000)
    line
      .payload(3000, span(1, 2, 1), span(1, 3, 2))
      .payload(3100, span(1, 2, 1))
      .tick(5100)

    expect(line.stats).toMatchObject({
      spansAccepted: 3,
      spansDuplicate: 1,
      spansLate: 2,
      tracesCompleted: 1,
      tracesDecidedEarly: 0,
      tracesOpen: 0
    })
    expect(line.written.traces).toMatchObject([
      { late: false, keepReason: 'always', weight: 1 },
      { late: true, keepReason: 'always', weight: 1 }
    ])
    expect(line.batches.map((batch) => batch.traceCount)).toEqual([1, 0])
  })

  it('settle when their parents are decided, and wait when they are not', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).tick(2000)

    line.payload(3000, span(1, 3, 2))
    expect(line.tick(5000).written.traces).toHaveLength(1)
    expect(line.tick(33_000).written.traces).toHaveLength(2)
    line.payload(34_000, span(1, 5, 3))
    expect(line.tick(36_000).written.traces).toHaveLength(3)
  })

  it('are fresh again once the decision is forgotten: two generations later', () => {
    const line = new Timeline({ decidedTracesMax: 2, decidedSpansMax: 2 })
    const decide = (trace: number, at: number) =>
      line.payload(at, span(trace, 1, 0)).tick(at + 2000)
    for (let trace = 1; trace <= 3; trace++) decide(trace, trace * 10_000)

    line.payload(40_000, span(1, 2, 1))
    expect(line.stats).toMatchObject({ spansLate: 1 })
    for (let trace = 4; trace <= 7; trace++) decide(trace, trace * 20_000)
    line.payload(200_000, span(1, 3, 1), span(1, 1, 0))
    expect(line.stats).toMatchObject({ spansLate: 1, spansDuplicate: 0 })
  })
})

describe('the order of completion', () => {
  it('is that of the first spans, whatever the trace ids and the ends', () => {
    const line = new Timeline()
    line.payload(0, span(9, 2, 1), span(4, 1, 0)).payload(100, span(7, 1, 0), span(9, 1, 0))

    expect(line.tick(30_000).kept).toEqual([9, 4, 7])
  })
})

describe('a payload that cannot be read', () => {
  it('is dropped and counted', () => {
    const bytes = Uint8Array.of(0x0a, 0x7f)
    const head = { position: 0, clockMs: 0, receivedUnixMs: UNIX_MS }
    const line = new Timeline().record({ kind: 'payload', compression: 'identity', bytes, ...head })
    expect(line.stats).toMatchObject({ payloadsDropped: 1, spansAccepted: 0 })

    line.record({ kind: 'payload', compression: 'gzip', bytes, ...head, position: 1 })
    expect(line.stats).toMatchObject({ payloadsDropped: 2 })
    line.record({ kind: 'payload', compression: 'zstd', bytes, ...head, position: 2 })
    expect(line.stats).toMatchObject({ payloadsDropped: 3 })
    expect(line.payload(1, span(1, 1, 0)).tick(2001).kept).toEqual([1])
  })
})
