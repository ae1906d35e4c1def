/**
 * Middleware makes no span, unless it was slow or failed: a request passes a dozen that take microseconds, and
 * a span of each costs more than all of them and buries what took the time.
 *
 * Frameworks call `enterLayer` with each layer that a request comes to. Entering the next one is what ends
 * the one before, so the time of a layer is its own until it called `next`, and it costs one reading of the
 * clock and no object. A layer that took SLOW_MS or longer, or passed on an error, gets its span afterwards,
 * from the times that were kept:
 *
 *   GET /orders/:id          |---------------------------|
 *     middleware - session    |------|                        entered … the next was entered
 *     SELECT orders            |---|                          a child of the server span, not of `session`
 *
 * Spans that a layer starts have the server's span as their parent, because a context of its own for each
 * layer would cost more than the layer. What a layer does after `next` has returned is not counted.
 */
import { SpanKind } from '@opentelemetry/api'
import { CODE_FUNCTION_NAME } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import { failSpan } from './calls.ts'
import { announce, BUILT_IN_SCOPE, type Instruments } from './instruments.ts'
import type { LayerSpans, ServerRequest } from './server-request.ts'

/** A layer that took this long is worth a span: what is shorter does not explain a slow request. */
export const SLOW_MS = 5

const NAME_CHARS_MAX = 128

export function createLayerSpans(instruments: Instruments): LayerSpans {
  const { guard, starter, middlewareSpans = true } = instruments

  function make(
    { span: parent }: ServerRequest,
    layer: object,
    startMs: number,
    endMs: number,
    error: unknown
  ): void {
    if (!(parent instanceof RecordingSpan)) return
    const { name: given } = layer as { readonly name?: unknown }
    const isNamed = typeof given === 'string' && given !== ''
    const name = isNamed ? given.slice(0, NAME_CHARS_MAX) : '<anonymous>'
    instruments.usage.count++
    const start = starter.startTime({ startTime: startMs })
    const title = `middleware - ${name}`
    const span = starter.start(BUILT_IN_SCOPE, title, SpanKind.INTERNAL, parent, start)
    if (span instanceof RecordingSpan) span.put(CODE_FUNCTION_NAME, name)
    announce(instruments, span)
    failSpan(span, error)
    span.end(endMs)
  }

  return {
    slowMs: SLOW_MS,
    make(...args) {
      if (!middlewareSpans) return
      try {
        make(...args)
      } catch (fault) {
        guard.report('middleware span', fault)
      }
    }
  }
}
