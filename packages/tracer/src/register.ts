/**
 * Importing this starts the tracer, once in a process, however often and in whatever way it is loaded:
 *
 *   node --import @spanloom/tracer/register app.js
 *   import tracer from '@spanloom/tracer/register'      as the app's first line
 */
import { isInternalThread } from 'node:worker_threads'
import { readConfig, type TracerConfig } from './config/config.ts'
import type { Environment } from './config/environment.ts'
import { isUnderJest, processEnvironment } from './config/environment.ts'
import { isPackageManager } from './config/package-manager.ts'
import type { Sources } from './config/parse.ts'
import { isTooOld } from './lib/node-version.ts'
import { notifyAt, notifyStderr } from './notices.ts'
import { type SpanloomTracer, startDisabledTracer, startTracer } from './sdk.ts'

const STARTED = Symbol.for('spanloom.tracer')

type Process = typeof globalThis & { [STARTED]?: SpanloomTracer }

function start(): SpanloomTracer {
  // Where nobody wants to read of it.
  if (isUnderJest() || isPackageManager(process.argv[1])) return inactive()
  const sources: Sources = new Map()
  const environment = processEnvironment()
  const config = readConfig(notifyStderr, environment, sources)
  const { node } = process.versions
  if (isTooOld(node)) {
    notifyAt(config.logLevel)('NODE_TOO_OLD', node)
    return startDisabledTracer(config)
  }
  if (!canRequireModules()) {
    notifyAt(config.logLevel)('NODE_NO_REQUIRE')
    return startDisabledTracer(config)
  }
  if (config.startupLog) void sayStart(config, sources, environment)
  return config.disabled ? startDisabledTracer(config) : startTracer(config)
}

/** What the tracer cannot do without (a folder that may not be read, no memory) is no reason not to start the app. */
function started(): SpanloomTracer {
  try {
    return start()
  } catch (fault) {
    notifyStderr('START_FAILED', fault instanceof Error ? (fault.stack ?? fault.message) : '')
    return inactive()
  }
}

function inactive(): SpanloomTracer {
  return startDisabledTracer(readConfig(() => {}, {}))
}

/** Instrumentations are loaded by it, in the moment of the library's own loading. A flag takes it away. */
function canRequireModules(): boolean {
  return (process.features as { require_module?: boolean }).require_module !== false
}

/** Never rejects: an unhandled rejection would end the app. */
async function sayStart(
  config: TracerConfig,
  sources: Sources,
  environment: Environment
): Promise<void> {
  const notify = notifyAt(config.logLevel)
  try {
    const { startupLine } = await import('./config/in-effect.ts')
    notify('CONFIG_IN_EFFECT', startupLine(config, sources, environment))
  } catch (fault) {
    notify('INSTRUMENT_FAULT', 'the line that the start says', String(fault))
  }
}

const known = globalThis as Process
// Node's loader thread runs preloaded modules too, but nothing of the app.
known[STARTED] ??= isInternalThread ? inactive() : started()
const tracer: SpanloomTracer = known[STARTED]

export default tracer
