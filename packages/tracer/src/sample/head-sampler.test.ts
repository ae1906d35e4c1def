import { ROOT_CONTEXT, SpanKind, type SpanOptions, TraceFlags, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { Sampler } from '../compat.ts'
import { Propagator } from '../propagate/propagator.ts'
import { CountedSpan } from '../trace/counted-span.ts'
import { InertSpan } from '../trace/inert-span.ts'
import { createScope } from '../trace/scope.ts'
import { RecordingSpan } from '../trace/span.ts'
import { identityFromContext } from '../trace/span-identity.ts'
import { testTracer } from '../tracer.testkit.ts'
import type { SamplerName } from './head-sampler.ts'
import type { SamplingSettings } from './sampling-settings.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

function start(name: SamplerName, settings: Partial<SamplingSettings> = {}) {
  const parts = testTracer({}, name, settings)
  const remote = (traceFlags: number, traceState = '', traceId = TRACE) =>
    trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId: SPAN,
      traceFlags,
      isRemote: true,
      ...(traceState === '' ? {} : { traceState: { serialize: () => traceState } as never })
    })
  const begin = (context = ROOT_CONTEXT, options: SpanOptions = {}) =>
    parts.tracer.startSpan('a', options, context)
  return { ...parts, remote, begin }
}

const isSampled = (span: { traceFlags: number }) => (span.traceFlags & TraceFlags.SAMPLED) !== 0

describe('a root', () => {
  it.each([
    ['always_on', true],
    ['always_off', false],
    ['parentbased_always_on', true],
    ['parentbased_always_off', false],
    ['traceidratio', true],
    ['parentbased_traceidratio', true],
    ['rate_limited', true],
    ['parentbased_rate_limited', true]
  ] as const)('of %s: %s', (name, kept) => {
    const span = start(name).begin()
    expect(isSampled(span)).toBe(kept)
    expect(span).toBeInstanceOf(kept ? RecordingSpan : InertSpan)
    expect(span.traceFlags & 2).toBe(2)
  })

  it('has no tracestate by default, and its threshold when a share was kept', () => {
    expect(start('parentbased_always_on').begin().traceState).toBe('')
    expect(start('parentbased_traceidratio', { samplerArg: '1' }).begin().traceState).toBe(
      'ot=th:0'
    )
    const { begin } = start('parentbased_traceidratio', { samplerArg: '0.1' })
    const spans = Array.from({ length: 2_000 }, () => begin())
    expect(new Set(spans.filter(isSampled).map((span) => span.traceState))).toEqual(
      new Set(['ot=th:e666'])
    )
    expect(new Set(spans.filter((span) => !isSampled(span)).map((one) => one.traceState))).toEqual(
      new Set([''])
    )
  })

  it('is sampled by the share that Datadog’s name gives, unless a sampler is named', () => {
    expect(isSampled(start('parentbased_always_on', { sampleRate: 0 }).begin())).toBe(false)
    const named = { sampleRate: 0, samplerIsSet: true }
    expect(isSampled(start('parentbased_always_on', named).begin())).toBe(true)
  })

  it.each(['2', '-1', 'half', '1e-3'])('takes no "%s" for a share, and says so', (samplerArg) => {
    const { begin, said } = start('traceidratio', { samplerArg })
    expect(isSampled(begin())).toBe(true)
    expect(said).toEqual([['CONFIG_BAD_VALUE', 'OTEL_TRACES_SAMPLER_ARG', samplerArg, '1']])
  })
})

describe('below a remote parent', () => {
  it.each([
    ['parentbased_always_off', 1, true],
    ['parentbased_always_off', 0, false],
    ['parentbased_traceidratio', 0, false],
    ['parentbased_rate_limited', 0, false],
    ['traceidratio', 0, true],
    ['always_on', 0, true],
    ['always_off', 1, false],
    ['rate_limited', 0, true]
  ] as const)('%s, flag %d: %s', (name, flag, kept) => {
    const { begin, remote } = start(name)
    const span = begin(remote(flag))
    expect(isSampled(span)).toBe(kept)
    expect(span.traceId).toBe(TRACE)
    // The parent did not say that its id is random.
    expect(span.traceFlags & 2).toBe(0)
    expect(begin(remote(flag | 2)).traceFlags & 2).toBe(2)
  })

  it('carries the tracestate on, with flag 00 when it is not sampled', () => {
    const { begin, remote } = start('parentbased_always_on')
    const headers = (context = ROOT_CONTEXT) => {
      const written: Record<string, string> = {}
      const propagator = new Propagator({
        extract: ['tracecontext'],
        inject: ['tracecontext'],
        behavior: 'continue'
      })
      propagator.eachHeader(begin(context), undefined, (name, value) => {
        written[name] = value
      })
      return written
    }
    const dropped = headers(remote(0, 'ot=th:c,vendor=1'))
    expect(dropped.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
    expect(dropped.tracestate).toBe('ot=th:c,vendor=1')
    expect(headers(remote(1, 'vendor=1')).tracestate).toBe('vendor=1')
    expect(headers().traceparent).toMatch(/-03$/)
  })

  it('leaves out a threshold that contradicts the parent’s flag', () => {
    const { begin, remote } = start('parentbased_always_on')
    // The last 56 bits of the trace id are 48eb211c80319c.
    expect(begin(remote(1, 'ot=th:48eb211c80319c')).traceState).toBe('ot=th:48eb211c80319c')
    expect(begin(remote(1, 'ot=th:48eb211c80319d;x:1,a=1')).traceState).toBe('ot=x:1,a=1')
    const explicit = 'ot=th:c;rv:c0000000000000'
    expect(begin(remote(1, explicit)).traceState).toBe(explicit)
  })

  it('samples no child that the parent’s greater share left out', () => {
    const parent = start('traceidratio', { samplerArg: '0.5' })
    const child = start('traceidratio', { samplerArg: '0.2' })
    const counts = { parent: 0, child: 0 }
    for (let index = 0; index < 5_000; index++) {
      const above = parent.begin()
      const below = child.begin(
        trace.setSpanContext(ROOT_CONTEXT, { ...above.spanContext(), isRemote: true })
      )
      if (isSampled(above)) counts.parent++
      if (!isSampled(below)) continue
      counts.child++
      expect(isSampled(above)).toBe(true)
      expect(below.traceState).toBe('ot=th:cccd')
    }
    expect(counts.parent).toBeGreaterThan(2_000)
    expect(counts.child).toBeGreaterThan(700)
  })
})

describe('below a local parent', () => {
  it.each(['always_off', 'traceidratio', 'rate_limited', 'always_on'] as const)(
    'all do as the root, with rules and limits too: %s',
    (name) => {
      const settings = {
        samplerArg: '0.5',
        samplingRules: '[{"name":"b"}]',
        tracesPerSecondMax: 30
      }
      const { tracer, begin } = start(name, settings)
      const seen = new Set<boolean>()
      for (let index = 0; index < 200; index++) {
        const root = begin()
        const child = tracer.startSpan('b', {}, trace.setSpan(ROOT_CONTEXT, root))
        seen.add(isSampled(root))
        expect(isSampled(child)).toBe(isSampled(root))
        expect(child.traceState).toBe(root.traceState)
      }
      expect(seen.has(false)).toBe(true)
    }
  )
})

describe('limits', () => {
  it('keep so many a second, and what they keep has no threshold', () => {
    const { begin, remote, time } = start('rate_limited', { samplerArg: '5' })
    const keptOf = (count: number) => Array.from({ length: count }, () => begin()).filter(isSampled)
    expect(keptOf(10)).toHaveLength(5)
    time.nowMs += 400
    expect(keptOf(10)).toHaveLength(2)
    time.nowMs += 1_000
    const below = begin(remote(1, 'ot=th:4,a=1'))
    expect([isSampled(below), below.traceState]).toEqual([true, 'a=1'])
  })

  it('of the process bound what a share or a rule keeps', () => {
    const { begin } = start('parentbased_always_on', {
      samplingRules: '[{"name":"a","max_per_second":7}]',
      tracesPerSecondMax: 3
    })
    const kept = Array.from({ length: 10 }, () => begin()).filter(isSampled)
    expect(kept.map((span) => span.traceState)).toEqual(['', '', ''])
  })
})

describe('rules', () => {
  it('see the attributes of a span that the API starts, and only when there are rules', () => {
    const { begin, starter } = start('parentbased_always_on', {
      samplingRules: '[{"tags":{"customer":"gold*"},"sample_rate":1},{"sample_rate":0}]'
    })
    expect(starter.readsFacts).toBe(true)
    expect(isSampled(begin(ROOT_CONTEXT, { attributes: { customer: 'golden' } }))).toBe(true)
    expect(isSampled(begin())).toBe(false)
    expect(start('parentbased_always_on').starter.readsFacts).toBe(false)
    const names = { samplingRules: '[{"name":"a","sample_rate":0}]' }
    expect(start('parentbased_always_on', names).starter.readsFacts).toBe(false)
  })

  it('with a mistake are said and not used', () => {
    const { begin, said } = start('parentbased_always_on', { samplingRules: '[{"sample_rate":2}]' })
    expect(isSampled(begin())).toBe(true)
    expect(said[0]!.slice(0, 2)).toEqual(['CONFIG_BAD_VALUE', 'SPANLOOM_SAMPLING_RULES'])
    expect(said[0]![2]).toContain('rule 1')
  })
})

describe('a sampler that asks a service', () => {
  // Closed before its first question: nothing is asked in these tests.
  const begun = (name: SamplerName, samplerArg?: string) => {
    const parts = start(name, samplerArg === undefined ? {} : { samplerArg })
    parts.sampler.close()
    return parts
  }

  it('may drop from the start, is not scaled, and begins without facts', () => {
    for (const name of ['jaeger_remote', 'parentbased_jaeger_remote', 'xray'] as const) {
      const { sampler } = begun(name)
      expect([sampler.mayDrop, sampler.isScalable, sampler.readsFacts]).toEqual([
        true,
        false,
        false
      ])
      expect(sampler.keepsRoots).toBe(false)
    }
  })

  it('of Jaeger begins with its initial rate', () => {
    const { begin, said } = begun('jaeger_remote', 'initialSamplingRate=0.25')
    const kept = Array.from({ length: 2_000 }, () => begin()).filter(isSampled)
    expect(kept.length).toBeGreaterThan(350)
    expect(kept.length).toBeLessThan(650)
    expect(kept[0]!.traceState).toBe('ot=th:c')
    expect(said).toEqual([])
  })

  it('of Jaeger begins with one in a thousand', () => {
    const { begin } = begun('jaeger_remote')
    const kept = Array.from({ length: 20_000 }, () => begin()).filter(isSampled)
    expect(kept.length).toBeLessThan(100)
    for (const { traceState } of kept) expect(traceState).toBe('ot=th:ffbe77')
  })

  it('of X-Ray begins with one trace a second and a twentieth of the others', () => {
    const { begin } = begun('xray')
    expect([isSampled(begin()), begin().traceFlags & 2]).toEqual([true, 2])
    const kept = Array.from({ length: 2_000 }, () => begin()).filter(isSampled)
    expect(kept.length).toBeGreaterThan(40)
    expect(kept.length).toBeLessThan(200)
    expect(kept[0]!.traceState).toBe('ot=th:f3333')
  })

  it.each([
    ['jaeger_remote', 0, true],
    ['parentbased_jaeger_remote', 0, false],
    ['xray', 0, false],
    ['xray', 1, true]
  ] as const)('%s below a remote parent of flag %d: %s', (name, flag, kept) => {
    const { begin, remote } = begun(name, name === 'xray' ? undefined : 'initialSamplingRate=1')
    begin()
    for (let index = 0; index < 20; index++) expect(isSampled(begin(remote(flag)))).toBe(kept)
  })

  it('is within the rules and the limit of the process', () => {
    const { begin, sampler } = start('jaeger_remote', {
      samplerArg: 'initialSamplingRate=0',
      samplingRules: '[{"name":"a","sample_rate":1}]',
      tracesPerSecondMax: 2
    })
    sampler.close()
    expect(Array.from({ length: 9 }, () => begin()).filter(isSampled)).toHaveLength(2)
  })

  it('counts what it leaves out', () => {
    const { begin, host, ended, sampler } = begun('jaeger_remote', 'initialSamplingRate=0')
    sampler.onMayDrop(() => {
      host.countUnsampled = true
    })
    begin(ROOT_CONTEXT, { kind: SpanKind.SERVER }).end()
    expect(ended[0]).toBeInstanceOf(CountedSpan)
  })
})

describe('mayDrop', () => {
  it.each([
    ['always_on', {}, false],
    ['parentbased_always_on', {}, false],
    ['always_off', {}, true],
    ['traceidratio', { samplerArg: '0.5' }, true],
    ['parentbased_always_on', { samplingRules: '[{"sample_rate":0.1}]' }, true],
    ['always_on', { tracesPerSecondMax: 100 }, true]
  ] as const)('of %s %o is %s', (name, settings, mayDrop) => {
    expect(start(name, settings).sampler.mayDrop).toBe(mayDrop)
  })

  it('becomes true in time for the first span that is left out to be counted', () => {
    const { begin, remote, sampler, host, ended } = start('parentbased_always_on')
    sampler.onMayDrop(() => {
      host.countUnsampled = true
    })
    begin(remote(1)).end()
    expect([sampler.mayDrop, ended.length]).toEqual([false, 1])
    begin(remote(0), { kind: SpanKind.SERVER }).end()
    expect([sampler.mayDrop, ended.length]).toEqual([true, 2])
    expect(ended[1]).toBeInstanceOf(CountedSpan)
    let again = 0
    sampler.onMayDrop(() => again++)
    expect(again).toBe(1)
  })
})

describe('spans that are left out', () => {
  it('are recorded for who counts: local roots, and all kinds but internal', () => {
    const { tracer, begin, host, ended } = start('always_off')
    const inert = begin()
    expect(inert).toBeInstanceOf(InertSpan)
    host.countUnsampled = true
    const root = begin(ROOT_CONTEXT, { attributes: { 'http.route': '/a' } })
    const below = trace.setSpan(ROOT_CONTEXT, root)
    const [internal, client] = [SpanKind.INTERNAL, SpanKind.CLIENT].map((kind) =>
      tracer.startSpan('b', { kind }, below)
    )
    expect(internal).toBeInstanceOf(InertSpan)
    expect(client).toBeInstanceOf(CountedSpan)
    client!.addEvent('e').recordException(new Error('lost'))
    client!.addLinks([{ context: root.spanContext() }])
    client!.end()
    root.setStatus({ code: 2 }).end()
    expect(ended.map(({ name, traceFlags }) => [name, traceFlags])).toEqual([
      ['b', 2],
      ['a', 2]
    ])
    expect(ended[0]!.events).toEqual([])
    expect(ended[0]!.links).toEqual([])
    expect(ended[1]!.attributes).toEqual({ 'http.route': '/a' })
    expect(ended[1]!.status.code).toBe(2)
  })
})

describe('the collector’s rate', () => {
  const keptOf = (begin: () => RecordingSpan | InertSpan, count = 4_000) =>
    Array.from({ length: count }, begin).filter(isSampled)

  it('scales what is kept of roots, and 1 takes it back', () => {
    const { begin, remote, sampler } = start('parentbased_always_on')
    sampler.scale(0.25)
    const kept = keptOf(() => begin())
    expect(kept.length / 4_000).toBeCloseTo(0.25, 1)
    expect(kept[0]!.traceState).toBe('ot=th:c')
    expect(isSampled(begin(remote(1)))).toBe(true)
    expect(sampler.mayDrop).toBe(true)
    sampler.scale(1)
    expect(keptOf(() => begin(), 100)).toHaveLength(100)
    expect(begin().traceState).toBe('')
  })

  it('multiplies a share, and leaves rules alone', () => {
    const { begin, tracer, sampler } = start('parentbased_traceidratio', {
      samplerArg: '0.5',
      samplingRules: '[{"name":"paid"}]'
    })
    sampler.scale(0.25)
    expect(keptOf(() => begin())[0]!.traceState).toBe('ot=th:e')
    expect(keptOf(() => tracer.startSpan('paid', {}, ROOT_CONTEXT), 100)).toHaveLength(100)
    sampler.scale(1)
    expect(keptOf(() => begin())[0]!.traceState).toBe('ot=th:8')
  })

  it.each(['always_on', 'always_off', 'rate_limited', 'parentbased_rate_limited'] as const)(
    'is not followed by %s',
    (name) => {
      const { begin, sampler } = start(name, { samplerArg: '1000' })
      const before = keptOf(() => begin(), 100).length
      sampler.scale(0.001)
      expect(sampler.isScalable).toBe(false)
      expect(keptOf(() => begin(), 100)).toHaveLength(before)
    }
  )
})

describe('a sampler of the app', () => {
  const fails = () => {
    throw new Error('bad')
  }
  const remoteParent = (traceFlags: number) =>
    identityFromContext({ traceId: TRACE, spanId: SPAN, traceFlags, isRemote: true })

  it.each([
    ['that throws', fails],
    ['that answers nothing', () => undefined],
    ['that answers nonsense', () => ({ decision: 7 })]
  ])('%s is reported once, and means what the parent says', (_what, shouldSample) => {
    const { sampler, starter, said } = start('always_off')
    sampler.use({ shouldSample } as unknown as Sampler)
    const scope = createScope('test')
    const begin = (flags?: number) =>
      starter.start(
        scope,
        'a',
        SpanKind.SERVER,
        flags === undefined ? undefined : remoteParent(flags)
      )
    expect([begin(), begin(1), begin(0)].map(isSampled)).toEqual([true, true, false])
    expect(said).toHaveLength(1)
    expect(said[0]![0]).toBe('INSTRUMENT_FAULT')
  })

  it('that records only makes a span that is not sampled, and not a counted one', () => {
    const { sampler, begin, ended } = start('always_on')
    sampler.use({ shouldSample: () => ({ decision: 1 }), toString: () => '' })
    const span = begin()
    expect(span.isRecording()).toBe(true)
    span.end()
    expect(ended[0]).not.toBeInstanceOf(CountedSpan)
    expect(isSampled(ended[0]!)).toBe(false)
  })
})
