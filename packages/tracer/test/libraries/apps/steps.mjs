// What the apps of this folder share: a span for each step, and the library loaded as the test says.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const tracer = trace.getTracer('app')

export const load = async (name, how) => {
  if (how === 'require') return createRequire(import.meta.url)(name)
  const namespace = await import(name)
  return namespace.default ?? namespace
}

/** Runs `fn` under a span of this name. */
export const step = (name, fn) =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await fn()
    } finally {
      span.end()
    }
  })

/** A span of the app's own where a callback runs: its parent tells the context. */
export const mark = (name) => tracer.startSpan(name).end()

export const end = () => mark('end of scenario')

/** The error, which is expected. */
export const failure = async (promise) => {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('expected a failure')
}

/** A promise of a call with a callback. */
export const called = (fn) =>
  new Promise((resolve, reject) => {
    fn((error, ...values) => (error ? reject(error) : resolve(values)))
  })

/** Runs `fn`, whose one failure nobody handles: the app must hear of it as it does without a tracer. */
export const forgotten = async (fn) => {
  let count = 0
  const hear = () => count++
  process.on('unhandledRejection', hear)
  await fn()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', hear)
  if (count !== 1) throw new Error(`${count} unhandled rejections`)
}
