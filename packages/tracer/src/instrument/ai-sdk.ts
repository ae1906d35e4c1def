/**
 * The `ai` SDK: a span for each of its functions, above what the provider's client sends. Streams return at
 * once; their spans end in the SDK's own `onFinish`, `onError` and `onAbort`, before the app's. The SDK's own
 * telemetry is left as the app has it. Prompts and answers are never recorded.
 */
import { SpanKind } from '@opentelemetry/api'
import {
  GEN_AI_OPERATION_NAME,
  GEN_AI_PROVIDER_NAME,
  GEN_AI_REQUEST_MODEL,
  GEN_AI_RESPONSE_FINISH_REASONS,
  GEN_AI_RESPONSE_ID,
  GEN_AI_RESPONSE_MODEL,
  GEN_AI_USAGE_INPUT_TOKENS,
  GEN_AI_USAGE_OUTPUT_TOKENS
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, endWithResult, named, runWithSpan } from './calls.ts'
import { announce, type Instruments, startExitSpan } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

type Options = Record<string, unknown> & { model?: unknown }

/** The SDK's function → whether it streams. */
const FUNCTIONS: Readonly<Record<string, boolean>> = {
  generateText: false,
  generateObject: false,
  embed: false,
  embedMany: false,
  streamText: true,
  streamObject: true
}
const NAME_CHARS_MAX = 128

const aiSdk: Instrumentation = {
  patches: {
    functions(exports, instruments) {
      const locals = exports as Record<string, AnyFunction>
      for (const [name, streams] of Object.entries(FUNCTIONS)) {
        const original = locals[name]
        if (typeof original !== 'function') continue
        locals[name] = named(original, wrapped(name, streams, original, instruments))
      }
    }
  }
}

export default aiSdk

function wrapped(
  name: string,
  streams: boolean,
  original: AnyFunction,
  instruments: Instruments
): AnyFunction {
  return (options: Options, ...rest: unknown[]) => {
    const span = begin(name, options, instruments)
    if (span === undefined) return original(options, ...rest)
    if (!streams) {
      return endWithResult(
        span,
        () => runWithSpan(instruments, span, () => original(options, ...rest)),
        instruments.guard.wrap('ai answer', (answer) => describe(span, answer))
      )
    }
    try {
      const told = withEnd(options, span, instruments)
      return runWithSpan(instruments, span, () => original(told, ...rest))
    } catch (error) {
      endSpan(span, error)
      throw error
    }
  }
}

function begin(name: string, options: Options, instruments: Instruments): AnySpan | undefined {
  try {
    const { id, provider } = modelOf(options?.model)
    const operation = name.startsWith('embed') ? 'embeddings' : 'invoke_agent'
    const words = operation === 'embeddings' ? [operation, id] : [operation, name, id]
    const spanName = words.filter((word) => word !== '').join(' ')
    const span = startExitSpan(instruments, spanName, SpanKind.INTERNAL)
    if (span instanceof RecordingSpan) {
      span.put(GEN_AI_OPERATION_NAME, operation)
      if (provider !== '') span.put(GEN_AI_PROVIDER_NAME, provider)
      if (id !== '') span.put(GEN_AI_REQUEST_MODEL, id)
    }
    if (span !== undefined) announce(instruments, span)
    return span
  } catch (fault) {
    instruments.guard.report('ai call', fault)
    return undefined
  }
}

/** `'openai/gpt-5'`, or a provider's object. */
function modelOf(model: unknown): { id: string; provider: string } {
  if (typeof model === 'string') {
    const slash = model.indexOf('/')
    const provider = slash < 0 ? '' : model.slice(0, slash)
    return { id: model.slice(slash + 1, slash + 1 + NAME_CHARS_MAX), provider }
  }
  const { modelId, provider } = (model ?? {}) as { modelId?: unknown; provider?: unknown }
  return {
    id: typeof modelId === 'string' ? modelId.slice(0, NAME_CHARS_MAX) : '',
    // `openai.chat` is the SDK's name of a client of the provider `openai`.
    provider: typeof provider === 'string' ? (provider.split('.')[0] ?? '') : ''
  }
}

function withEnd(options: Options, span: AnySpan, { guard }: Instruments): Options {
  const finished = guard.wrap('ai finish', (event: unknown) => {
    describe(span, event)
    span.end()
  })
  const failed = guard.wrap('ai error', (event: unknown) => {
    endSpan(span, (event as { error?: unknown } | undefined)?.error ?? event)
  })
  const before = (first: (event: unknown) => void, then: unknown) => (event: unknown) => {
    first(event)
    return typeof then === 'function' ? then(event) : undefined
  }
  const told: Options = { ...options }
  // Without a handler the SDK prints errors itself: it goes on doing that.
  const onError = options.onError ?? (({ error }: { error: unknown }) => console.error(error))
  told.onError = before(failed, onError)
  // An app of version 7 may use the newer name, which then wins over the older.
  const finish = typeof options.onEnd === 'function' ? 'onEnd' : 'onFinish'
  told[finish] = before(finished, options[finish])
  told.onAbort = before(() => span.end(), options.onAbort)
  return told
}

interface AiAnswer {
  readonly usage?: Readonly<Record<string, unknown>>
  readonly totalUsage?: Readonly<Record<string, unknown>>
  readonly finishReason?: unknown
  readonly response?: { readonly id?: unknown; readonly modelId?: unknown }
}

function describe(span: AnySpan, answer: unknown): void {
  if (!(span instanceof RecordingSpan) || typeof answer !== 'object' || answer === null) return
  const { usage, totalUsage, finishReason, response } = answer as AiAnswer
  const tokens = totalUsage ?? usage ?? {}
  const input = tokens.inputTokens ?? tokens.tokens
  if (typeof input === 'number') span.put(GEN_AI_USAGE_INPUT_TOKENS, input)
  const output = tokens.outputTokens
  if (typeof output === 'number') span.put(GEN_AI_USAGE_OUTPUT_TOKENS, output)
  if (typeof finishReason === 'string') {
    span.setAttribute(GEN_AI_RESPONSE_FINISH_REASONS, [finishReason])
  }
  if (typeof response?.id === 'string') span.put(GEN_AI_RESPONSE_ID, response.id)
  if (typeof response?.modelId === 'string') span.put(GEN_AI_RESPONSE_MODEL, response.modelId)
}
