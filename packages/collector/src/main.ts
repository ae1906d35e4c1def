#!/usr/bin/env node
import { type Collector, createCollector } from './collector.ts'
import { type CollectorConfig, parseProcessConfig } from './config/config.ts'
/**
 * The program `spanloom`: argv → config → collector, and signals → stop.
 *
 * The first SIGINT, SIGTERM or SIGHUP, or a parent that goes away, stops it gracefully; a second
 * one ends it at once. What was acknowledged survives either. Exit code 2 is for what the operator
 * can mend (one line on stderr says what and with which option), 1 for everything else.
 */
import { helpText } from './config/help.ts'
import { CollectorError, reasonOf } from './errors.ts'
import { systemClock } from './lib/clock.ts'
import { VERSION } from './lib/version.ts'
import { createLog, escapeUnsafe } from './telemetry/log.ts'

/** A terminal, a shell and npm may each pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500

const OPERATOR_CODES =
  /^(CONFIG_|JOURNAL_DAMAGED|PIPELINE_CHECKPOINT_|PIPELINE_STATE_|SERVE_LISTEN_|STORE_(DATA|ENGINE|LOCKED|SCHEMA))/

const log = createLog(systemClock, (line) => process.stderr.write(line))

// Whoever reads our output may go first; that is no reason to stop.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

try {
  const parsed = parseProcessConfig(process.argv.slice(2))
  if ('show' in parsed) {
    process.stdout.write(parsed.show === 'help' ? helpText() : `${VERSION}\n`)
  } else {
    for (const name of parsed.unknownVariables) log.warn('unknown environment variable', { name })
    await run(parsed.config)
  }
} catch (error) {
  end(error)
}

async function run(config: CollectorConfig): Promise<void> {
  const collector = createCollector(config, { log })
  const isStopping = stopOnSignals(collector)
  void collector.failed.then((error) => collector.stop().finally(() => end(error)))
  const addresses = await collector.start().catch((error) => {
    // Stopped while it was starting: the stop ends the process.
    if (!isStopping()) throw error
  })
  if (addresses === undefined) return
  const { uiUrl, otlpUrl } = addresses
  process.stdout.write(`Spanloom is ready. UI: ${uiUrl}  OTLP: ${otlpUrl}\n`)
  process.send?.({ type: 'ready', uiUrl, otlpUrl })
}

/** Returns whether it has been told to stop. */
function stopOnSignals(collector: Collector): () => boolean {
  let firstMs: number | undefined
  const stop = (reason: string) => {
    const nowMs = systemClock.monotonicMs()
    if (firstMs === undefined) {
      firstMs = nowMs
      log.info('stopping', { reason })
      void collector.stop().finally(() => process.exit(0))
    } else if (nowMs - firstMs > SAME_SIGNAL_MS) {
      process.exit(1)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stop(signal))
  if (process.send !== undefined) process.once('disconnect', () => stop('parent has gone'))
  return () => firstMs !== undefined
}

function end(error: unknown): never {
  const isOperators = error instanceof CollectorError && OPERATOR_CODES.test(error.code)
  const text = isOperators ? error.message : `${reasonOf(error)}`
  process.stderr.write(`spanloom: ${escapeUnsafe(text)}\n`)
  process.exit(isOperators ? 2 : 1)
}
