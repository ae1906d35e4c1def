/** Parts for tests: a tracer without instrumentation whose ended spans are kept. */

import { SUPPRESSED_FRAME } from './context/frame.ts'
import { SpanloomContextManager } from './context/manager.ts'
import type { Clock } from './lib/clock.ts'
import { createGuard } from './lib/guard.ts'
import { createRandomWords } from './lib/random-ids.ts'
import type { Notify } from './notices.ts'
import { createResource } from './resource/resource.ts'
import { HeadSampler, NO_SAMPLING_SETTINGS, type SamplerName } from './sample/head-sampler.ts'
import type { SamplingSettings } from './sample/sampling-settings.ts'
import { DEFAULT_SPAN_LIMITS, type SpanLimits } from './trace/limits.ts'
import type { RecordingSpan } from './trace/span.ts'
import { ApiTracerProvider, SpanStarter } from './trace/tracer.ts'

export const NOW_MS = 1_795_426_799_370.5

export function testTracer(
  limits: Partial<SpanLimits> = {},
  samplerName: SamplerName = 'always_on',
  sampling: Partial<SamplingSettings> = {}
) {
  const said: unknown[][] = []
  const notify: Notify = (code, ...facts) => void said.push([code, ...facts])
  const ended: RecordingSpan[] = []
  const time = { nowMs: NOW_MS }
  const clock: Clock = { now: () => time.nowMs, anchor() {}, fromMonotonic: (ms) => NOW_MS + ms }
  const resource = createResource({ 'service.name': 'test', 'process.pid': 7 })
  const host = {
    countUnsampled: false,
    clock,
    limits: { ...DEFAULT_SPAN_LIMITS, ...limits },
    resource,
    ended: (span: RecordingSpan) => void ended.push(span)
  }
  const contexts = new SpanloomContextManager()
  const sampler = new HeadSampler(
    samplerName,
    { ...NO_SAMPLING_SETTINGS, ...sampling },
    {
      serviceName: 'test',
      resource: resource.attributes,
      nowMs: () => time.nowMs,
      epochMs: () => time.nowMs,
      random: () => 0.5,
      untraced: (fn) => contexts.run(SUPPRESSED_FRAME, fn),
      notify,
      guard: createGuard(notify)
    }
  )
  const starter = new SpanStarter(host, createRandomWords(), sampler)
  const provider = new ApiTracerProvider(starter, contexts, () => {})
  const tracer = provider.getTracer('test', '1.0')
  return { tracer, provider, starter, sampler, host, said, contexts, ended, resource, time, clock }
}
