/**
 * Importing this starts the tracer, once in a process, however often and in whatever way it is loaded:
 *
 *   node --import @spanloom/tracer/register app.js
 *   import tracer from '@spanloom/tracer/register'      as the app's first line
 */
import { readConfig } from './config/config.ts'
import { notifyStderr } from './notices.ts'
import { type SpanloomTracer, startDisabledTracer, startTracer } from './sdk.ts'

const STARTED = Symbol.for('spanloom.tracer')

type Process = typeof globalThis & { [STARTED]?: SpanloomTracer }

function start(): SpanloomTracer {
  const config = readConfig(notifyStderr)
  return config.disabled ? startDisabledTracer(config) : startTracer(config)
}

const known = globalThis as Process
known[STARTED] ??= start()
const tracer: SpanloomTracer = known[STARTED]

export default tracer
