/**
 * graphql's parse and validate: like middleware, they have a span only if they took SLOW_MS or longer, or failed,
 * made afterwards from the times that were kept. Most take microseconds, and a request that does not fit the
 * schema, the most common failure of all, ends with them:
 *
 *   POST /graphql               |------------|
 *     graphql.validate           |--|            Cannot query field "ordr" on type "Query".
 *
 *   16   the functions are replaced
 *   17   the library's own channels `graphql:parse` and `graphql:validate`, listened to with `graphql:execute`
 *
 * Errors are told without the literals that they quote, and without the library's stack. What is slow under no
 * span is the parsing of a schema when the app starts, and has none; what fails there has.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import { SpanKind } from '@opentelemetry/api'
import { GRAPHQL_DOCUMENT } from '@spanloom/otlp'
import { isSuppressed } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import { type AnyFunction, failSpan, named } from './calls.ts'
import {
  type Document,
  ERRORS_MAX,
  shownDocument,
  withoutLiterals,
  withoutQuotes
} from './graphql-document.ts'
import { announce, BUILT_IN_SCOPE, type Instruments, parentIn } from './instruments.ts'
import { SLOW_MS } from './middleware.ts'
import type { Patch } from './registry.ts'

type Source = string | { readonly body?: unknown }

/** What a step was about: a text that may not be one, or a document. */
interface Step {
  readonly name: 'graphql.parse' | 'graphql.validate'
  readonly startMs: number
  readonly source?: Source | undefined
  readonly document?: Document | undefined
}

interface Told {
  readonly source?: Source
  readonly document?: Document
  readonly result?: unknown
  readonly error?: unknown
  [START]?: number
}

const START = Symbol('spanloom.graphqlStart')

export const patchParse: Patch = (exports, instruments, { version }) => {
  if (!version.startsWith('16.')) return
  replace(exports as Record<string, AnyFunction>, 'parse', (parse) => {
    const end = ending(instruments)
    return function (this: unknown, ...args: unknown[]) {
      const startMs = performance.now()
      try {
        const document = parse.apply(this, args)
        if (performance.now() - startMs >= SLOW_MS) {
          end({ name: 'graphql.parse', startMs, source: args[0] as Source }, [])
        }
        return document
      } catch (error) {
        end({ name: 'graphql.parse', startMs, source: args[0] as Source }, [error])
        throw error
      }
    }
  })
}

export const patchValidate: Patch = (exports, instruments, { version }) => {
  if (!version.startsWith('16.')) return
  replace(exports as Record<string, AnyFunction>, 'validate', (validate) => {
    const end = ending(instruments)
    return function (this: unknown, ...args: unknown[]) {
      const startMs = performance.now()
      const step = () =>
        ({ name: 'graphql.validate', startMs, document: args[1] as Document }) as const
      try {
        const errors = validate.apply(this, args)
        if (errors?.length > 0 || performance.now() - startMs >= SLOW_MS) end(step(), errors)
        return errors
      } catch (error) {
        end(step(), [error])
        throw error
      }
    }
  })
}

function replace(
  holder: Record<string, AnyFunction>,
  name: string,
  wrap: (original: AnyFunction) => AnyFunction
): void {
  const original = holder[name]
  if (original !== undefined) holder[name] = named(original, wrap(original))
}

export function listenToSteps(instruments: Instruments): void {
  const { guard } = instruments
  const end = ending(instruments)
  for (const name of ['graphql.parse', 'graphql.validate'] as const) {
    const channel = tracingChannel(name.replace('.', ':'))
    channel.start.subscribe(
      guard.wrap('graphql step', (message) => {
        ;(message as Told)[START] = performance.now()
      })
    )
    channel.end.subscribe(
      guard.wrap('graphql step', (message) => {
        const { [START]: startMs, source, document, result, error } = message as Told
        if (startMs === undefined) return
        const errors = error === undefined ? (Array.isArray(result) ? result : []) : [error]
        if (errors.length > 0 || performance.now() - startMs >= SLOW_MS) {
          end({ name, startMs, source, document }, errors)
        }
      })
    )
  }
}

/** What makes the span of a step that has just ended; it never throws. */
function ending(instruments: Instruments): (step: Step, errors: readonly unknown[]) => void {
  const { contexts, starter, guard, usage } = instruments

  function make(step: Step, errors: readonly unknown[]): void {
    const context = contexts.storage.getStore()
    const parent = parentIn(context)
    if (isSuppressed(context) || (parent === undefined && errors.length === 0)) return
    const endMs = performance.now()
    usage.count++
    const start = starter.startTime({ startTime: step.startMs })
    const span = starter.start(BUILT_IN_SCOPE, step.name, SpanKind.INTERNAL, parent, start)
    const body = bodyOf(step)
    if (span instanceof RecordingSpan) {
      const text = shownText(step, body, errors)
      if (text !== undefined) span.put(GRAPHQL_DOCUMENT, text)
    }
    announce(instruments, span)
    const shown = errors.slice(0, ERRORS_MAX).map((error) => redacted(error, body))
    for (const error of shown) span.recordException(error)
    failSpan(span, shown[0])
    span.end(endMs)
  }
  return guard.wrap('graphql step', make)
}

function bodyOf({ source, document }: Step): string {
  if (typeof source === 'string') return source
  const body = source?.body ?? document?.loc?.source?.body
  return typeof body === 'string' ? body : ''
}

/** A text that is no document is not shown: where its literals end is not known. */
function shownText(
  { document }: Step,
  body: string,
  errors: readonly unknown[]
): string | undefined {
  if (document !== undefined) return shownDocument(document)
  return errors.length === 0 && body !== '' ? withoutLiterals(body) : undefined
}

function redacted(error: unknown, body: string): { name: string; message: string } {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown }
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? withoutQuotes(message, body) : ''
  }
}
