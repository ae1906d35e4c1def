/**
 * The span of a call to a model, by the conventions for generative AI, the same for all clients: what was asked
 * and how, and what the answer says of itself. Never a prompt, never an answer.
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
  GEN_AI_USAGE_OUTPUT_TOKENS,
  SERVER_ADDRESS,
  SERVER_PORT
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { endSpan, errorTypeOf } from './calls.ts'
import { announce, type Instruments, startExitSpan } from './instruments.ts'

type Streamed = object & {
  iterator?: () => AsyncIterator<unknown>
  readonly controller?: { readonly signal?: unknown }
}

/** Settings of a request that say how it was asked, not what. */
const SETTINGS: Readonly<Record<string, string>> = {
  max_tokens: 'gen_ai.request.max_tokens',
  max_completion_tokens: 'gen_ai.request.max_tokens',
  max_output_tokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  top_p: 'gen_ai.request.top_p',
  top_k: 'gen_ai.request.top_k',
  frequency_penalty: 'gen_ai.request.frequency_penalty',
  presence_penalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
  n: 'gen_ai.request.choice.count',
  maxOutputTokens: 'gen_ai.request.max_tokens',
  topP: 'gen_ai.request.top_p',
  topK: 'gen_ai.request.top_k',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  presencePenalty: 'gen_ai.request.presence_penalty',
  candidateCount: 'gen_ai.request.choice.count'
}
const NAME_CHARS_MAX = 128

export interface ModelRequest {
  readonly operation: string
  readonly provider: string
  readonly model: unknown
  /** Where the settings stand, beside much that is not taken. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly baseUrl: unknown
}

export function beginModelCall(
  instruments: Instruments,
  { operation, provider, model: asked, settings, baseUrl }: ModelRequest
): ModelCall | undefined {
  const model = typeof asked === 'string' ? asked.slice(0, NAME_CHARS_MAX) : ''
  const name = model === '' ? operation : `${operation} ${model}`
  const span = startExitSpan(instruments, name, SpanKind.CLIENT)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    span.put(GEN_AI_OPERATION_NAME, operation)
    span.put(GEN_AI_PROVIDER_NAME, provider)
    if (model !== '') span.put(GEN_AI_REQUEST_MODEL, model)
    putSettings(span, settings)
    putServer(span, baseUrl)
  }
  announce(instruments, span)
  return new ModelCall(span, instruments)
}

function putSettings(span: RecordingSpan, request: ModelRequest['settings']): void {
  for (const key in SETTINGS) {
    const value = request[key]
    if (typeof value === 'number') span.put(SETTINGS[key]!, value)
  }
}

function putServer(span: RecordingSpan, baseUrl: unknown): void {
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) return
  const { hostname, port, protocol } = new URL(baseUrl)
  span.put(SERVER_ADDRESS, hostname)
  span.put(SERVER_PORT, port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port))
}

/** Facts come in with an answer's body or, bit by bit, with a stream's chunks. */
interface Facts {
  id?: string
  model?: string
  inputTokens?: number
  outputTokens?: number
  readonly finishReasons: string[]
}

/** A call under way: it takes what is known of the answer from whatever brings it. */
export class ModelCall {
  readonly span: AnySpan
  readonly #instruments: Instruments
  readonly #facts: Facts = { finishReasons: [] }

  constructor(span: AnySpan, instruments: Instruments) {
    this.span = span
    this.#instruments = instruments
  }

  /** An answer, whole or as a stream, which is watched as it passes. */
  answered(answer: unknown): unknown {
    const { iterator, controller } = (answer ?? {}) as Streamed
    if (typeof iterator !== 'function') {
      this.take(answer)
      this.end()
      return answer
    }
    const call = this
    ;(answer as Streamed).iterator = function (this: unknown) {
      return call.chunks(iterator.call(answer))
    }
    if (controller?.signal instanceof AbortSignal) this.#endWhenAborted(controller.signal)
    return answer
  }

  /** A stream may be given up before it is read. One that fails is aborted too, and tells of that first. */
  #endWhenAborted(signal: AbortSignal): void {
    const later = () => void setImmediate(() => this.end())
    if (signal.aborted) later()
    else signal.addEventListener('abort', later, { once: true })
  }

  /** Passes a stream's chunks on; the span ends with the last, or when the app has had enough. */
  chunks(source: AsyncIterator<unknown>): AsyncIterableIterator<unknown> {
    const call = this
    const iterator: AsyncIterableIterator<unknown> = {
      async next() {
        try {
          const result = await source.next()
          if (result.done) call.end()
          else call.take(result.value)
          return result
        } catch (error) {
          call.end(error)
          throw error
        }
      },
      async return(value?: unknown) {
        call.end()
        return source.return === undefined ? { done: true, value } : source.return(value)
      },
      async throw(error?: unknown) {
        call.end(error)
        if (source.throw === undefined) throw error
        return source.throw(error)
      },
      [Symbol.asyncIterator]() {
        return iterator
      }
    }
    return iterator
  }

  take(answer: unknown): void {
    if (typeof answer !== 'object' || answer === null) return
    this.#instruments.guard.wrap('model answer', () => takeFacts(this.#facts, answer as Answer))()
  }

  end(error?: unknown): void {
    const { span } = this
    if (span instanceof RecordingSpan && span.isRecording()) {
      const { id, model, inputTokens, outputTokens, finishReasons } = this.#facts
      if (id !== undefined) span.put(GEN_AI_RESPONSE_ID, id)
      if (model !== undefined) span.put(GEN_AI_RESPONSE_MODEL, model)
      if (inputTokens !== undefined) span.put(GEN_AI_USAGE_INPUT_TOKENS, inputTokens)
      if (outputTokens !== undefined) span.put(GEN_AI_USAGE_OUTPUT_TOKENS, outputTokens)
      if (finishReasons.length > 0) {
        span.setAttribute(GEN_AI_RESPONSE_FINISH_REASONS, [...finishReasons])
      }
    }
    endSpan(span, described(error))
  }
}

/** The clients' errors are named `Error`: their status says more, and without one their class. */
function described(error: unknown): unknown {
  if (!(error instanceof Error) || errorTypeOf(error) !== 'Error') return error
  const { status, message } = error as Error & { status?: unknown }
  return { name: typeof status === 'number' ? String(status) : error.constructor.name, message }
}

interface Answer {
  readonly id?: unknown
  readonly model?: unknown
  readonly usage?: Readonly<Record<string, unknown>> | null
  readonly choices?: readonly { readonly finish_reason?: unknown }[]
  readonly stop_reason?: unknown
  readonly status?: unknown
  readonly delta?: { readonly stop_reason?: unknown }
  /** Google's words for the same. */
  readonly responseId?: unknown
  readonly modelVersion?: unknown
  readonly usageMetadata?: Readonly<Record<string, unknown>> | null
  readonly candidates?: readonly { readonly finishReason?: unknown }[]
  /** Events of streams wrap the answer. */
  readonly message?: Answer
  readonly response?: Answer
}

function takeFacts(facts: Facts, answer: Answer): void {
  const inner = answer.response ?? answer.message
  if (typeof inner === 'object' && inner !== null && 'id' in inner) takeFacts(facts, inner)
  const id = answer.id ?? answer.responseId
  if (typeof id === 'string' && facts.id === undefined) facts.id = id
  const model = answer.model ?? answer.modelVersion
  if (typeof model === 'string') facts.model = model.slice(0, NAME_CHARS_MAX)
  const usage = answer.usage ?? answer.usageMetadata ?? {}
  const input = usage.prompt_tokens ?? usage.input_tokens ?? usage.promptTokenCount
  const output = usage.completion_tokens ?? usage.output_tokens ?? googleOutput(usage)
  if (typeof input === 'number') facts.inputTokens = input
  if (typeof output === 'number') facts.outputTokens = output
  const reasons = answer.choices?.map((choice) => choice.finish_reason) ?? []
  reasons.push(answer.stop_reason, answer.delta?.stop_reason)
  for (const candidate of answer.candidates ?? []) reasons.push(candidate.finishReason)
  for (const reason of reasons) {
    if (typeof reason === 'string' && !facts.finishReasons.includes(reason)) {
      facts.finishReasons.push(reason)
    }
  }
}

/** What a model thinks is paid for as what it says. */
function googleOutput(usage: Readonly<Record<string, unknown>>): number | undefined {
  const { candidatesTokenCount: said, thoughtsTokenCount: thought } = usage
  if (typeof said !== 'number') return undefined
  return typeof thought === 'number' ? said + thought : said
}
