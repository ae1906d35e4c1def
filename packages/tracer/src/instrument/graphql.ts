/**
 * graphql: one span for each executed operation, `query Orders`, around all of its resolvers.
 *
 *   16   `execute` is replaced; each event of a subscription is an execution
 *   17   the library's own channel `graphql:execute`, whose store makes the span active
 *
 *   @graphql-tools/executor   graphql-yoga's and gateways' own; replaced as 16's. Its subscriptions have no spans:
 *                             it executes their events inside
 *
 * The document is shown as it was written, without its comments and with every literal as `?`. Resolvers
 * have no spans: their calls do. Parsing and validating have one where they are slow or fail (graphql-steps.ts).
 */
import { tracingChannel } from 'node:diagnostics_channel'
import { type Context, type Exception, SpanKind } from '@opentelemetry/api'
import { GRAPHQL_DOCUMENT, GRAPHQL_OPERATION_NAME, GRAPHQL_OPERATION_TYPE } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import { type AnySpan, contextWithSpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, failSpan, named, runWithSpan } from './calls.ts'
import { type Definition, type Document, ERRORS_MAX, shownDocument } from './graphql-document.ts'
import { listenToSteps, patchParse, patchValidate } from './graphql-steps.ts'
import { announce, type Instruments, startExitSpan } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

interface Execution {
  readonly document?: Document
  readonly operationName?: string | null
}

interface ChannelMessage extends Execution {
  readonly result?: unknown
  readonly error?: unknown
}

const graphql: Instrumentation = {
  patches: {
    execute(exports, instruments, { version }) {
      if (version.startsWith('16.')) patchExecute(exports, instruments)
      else listen(instruments)
    },
    tools: patchExecute,
    parse: patchParse,
    validate: patchValidate
  }
}

export default graphql

function patchExecute(exports: unknown, instruments: Instruments): void {
  const holder = exports as Record<string, AnyFunction>
  const { execute } = holder
  if (execute !== undefined) holder.execute = named(execute, executing(execute, instruments))
}

function executing(original: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    let span: AnySpan | undefined
    try {
      span = begin(args[0] as Execution, instruments)
    } catch (fault) {
      instruments.guard.report('graphql execute', fault)
    }
    if (span === undefined) return original.apply(this, args)
    const begun = span
    let result: unknown
    try {
      result = runWithSpan(instruments, begun, () => original.apply(this, args))
    } catch (error) {
      endSpan(begun, error)
      throw error
    }
    if (!(result instanceof Promise)) {
      finish(begun, result, instruments)
      return result
    }
    return result.then(
      (value) => {
        finish(begun, value, instruments)
        return value
      },
      (error) => {
        endSpan(begun, error)
        throw error
      }
    )
  }
}

let isListening = false

function listen(instruments: Instruments): void {
  // The library may be loaded as CommonJS and as ES modules: the channel is one.
  if (isListening) return
  isListening = true
  const { guard, contexts } = instruments
  const open = new WeakMap<object, AnySpan>()
  const channel = tracingChannel('graphql:execute')
  channel.start.bindStore(contexts.storage, (message) => {
    const context = contexts.active()
    try {
      const span = begin(message as Execution, instruments)
      if (span === undefined) return context
      open.set(message as object, span)
      return contextWithSpan(context, span)
    } catch (fault) {
      guard.report('graphql execute', fault)
      return context as Context
    }
  })
  const end = guard.wrap('graphql execute', (told: unknown) => {
    const message = told as ChannelMessage
    const span = open.get(message)
    const isDone = message.result !== undefined || message.error !== undefined
    if (span === undefined || !isDone) return
    open.delete(message)
    if (message.error === undefined) finish(span, message.result, instruments)
    else endSpan(span, message.error)
  })
  channel.end.subscribe(end)
  channel.asyncEnd.subscribe(end)
  listenToSteps(instruments)
}

function begin(execution: Execution, instruments: Instruments): AnySpan | undefined {
  const { document, operationName } = execution
  if (document === undefined) return undefined
  const operation = operationOf(document, operationName)
  const type = operation?.operation ?? 'query'
  const name = operation?.name?.value
  const title = name === undefined ? type : `${type} ${name}`
  const span = startExitSpan(instruments, title, SpanKind.INTERNAL)
  if (span instanceof RecordingSpan) {
    span.put(GRAPHQL_OPERATION_TYPE, type)
    if (name !== undefined) span.put(GRAPHQL_OPERATION_NAME, name)
    const text = shownDocument(document)
    if (text !== undefined) span.put(GRAPHQL_DOCUMENT, text)
  }
  if (span !== undefined) announce(instruments, span)
  return span
}

function operationOf(
  { definitions = [] }: Document,
  name: string | null | undefined
): Definition | undefined {
  const isWanted = (each: Definition) =>
    each.kind === 'OperationDefinition' && (!name || each.name?.value === name)
  return definitions.find(isWanted)
}

function finish(span: AnySpan, result: unknown, { guard }: Instruments): void {
  try {
    const { errors } = (result ?? {}) as { errors?: readonly unknown[] }
    if (errors !== undefined && errors.length > 0) {
      for (const error of errors.slice(0, ERRORS_MAX)) {
        const { originalError } = (error ?? {}) as { originalError?: unknown }
        span.recordException((originalError ?? error) as Exception)
      }
      failSpan(span, errors[0])
    }
  } catch (fault) {
    guard.report('graphql result', fault)
  }
  span.end()
}
