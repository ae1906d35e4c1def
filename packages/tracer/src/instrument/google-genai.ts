/**
 * @google/genai: a client span for each request to a model, by the methods of `Models` that chats and functions
 * that the client calls by itself come to. A streamed answer ends with its last chunk.
 *
 * Limits: live sessions, which are a WebSocket, and files, caches and tunings have no span of this kind.
 */
import { type AnyFunction, endSpan, runWithSpan, wrapMethod } from './calls.ts'
import type { Instruments } from './instruments.ts'
import { beginModelCall, type ModelCall } from './model-call.ts'
import type { Instrumentation } from './registry.ts'

interface Models {
  readonly apiClient?: {
    isVertexAI?(): boolean
    readonly clientOptions?: { readonly httpOptions?: { readonly baseUrl?: unknown } }
  }
}

interface Params {
  readonly model?: unknown
  readonly config?: Readonly<Record<string, unknown>>
}

type Chunks = AsyncIterator<unknown>

const googleGenAi: Instrumentation = {
  patches: {
    models: (exports, instruments) => {
      const { prototype } = (exports as { Models: { prototype: object } }).Models
      const whole = (call: ModelCall, answer: unknown) => call.answered(answer)
      const streamed = (call: ModelCall, answer: unknown) => call.chunks(answer as Chunks)
      const generate = wrapper('generate_content', whole, instruments)
      wrapMethod(prototype, 'generateContentInternal', generate)
      const stream = wrapper('generate_content', streamed, instruments)
      wrapMethod(prototype, 'generateContentStreamInternal', stream)
      const embed = wrapper('embeddings', whole, instruments)
      // Newer releases have a method of the class below the app's.
      if (!wrapMethod(prototype, 'embedContentInternal', embed)) {
        wrapMethod(prototype, 'embedContent', embed)
      }
    }
  }
}

export default googleGenAi

function wrapper(
  operation: string,
  take: (call: ModelCall, answer: unknown) => unknown,
  instruments: Instruments
): (original: AnyFunction) => AnyFunction {
  return (original) =>
    async function (this: Models, params: Params, ...rest: unknown[]): Promise<unknown> {
      const call = begin(this, params, operation, instruments)
      if (call === undefined) return original.call(this, params, ...rest)
      try {
        const answer: unknown = await runWithSpan(instruments, call.span, () =>
          original.call(this, params, ...rest)
        )
        return take(call, answer)
      } catch (error) {
        endSpan(call.span, error)
        throw error
      }
    }
}

function begin(
  { apiClient }: Models,
  params: Params,
  operation: string,
  instruments: Instruments
): ModelCall | undefined {
  try {
    const { model, config } = params ?? {}
    return beginModelCall(instruments, {
      operation,
      provider: apiClient?.isVertexAI?.() === true ? 'gcp.vertex_ai' : 'gcp.gemini',
      model,
      settings: config ?? {},
      baseUrl: apiClient?.clientOptions?.httpOptions?.baseUrl
    })
  } catch (fault) {
    instruments.guard.report('model call', fault)
    return undefined
  }
}
