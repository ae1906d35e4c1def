/**
 * Everything the tracer says to the app's operator, by code. It goes to stderr, one line each, and
 * never through the app's logger: the tracer must not depend on what it traces. A code starts with the
 * stage it comes from.
 */
import { writeSync } from 'node:fs'

const MESSAGES = {
  API_TAKEN: () =>
    '@opentelemetry/api was in use before the tracer started, by another SDK or an older copy of it: what is traced through it is not seen. Start the tracer first, and only one.',
  CONFIG_AGENT: (name: string, value: string, used: string) =>
    `${name}=${value} names a Datadog agent; OTLP is sent to ${used}. OTEL_EXPORTER_OTLP_ENDPOINT says otherwise.`,
  CONFIG_BAD_VALUE: (name: string, value: string, used: string) =>
    `${name}="${value}" is not understood; ${used} is used.`,
  CONFIG_IN_EFFECT: (settings: string) => settings,
  CONFIG_NO_LIBRARY: (names: string) =>
    `OTEL_NODE_ENABLED_INSTRUMENTATIONS or OTEL_NODE_DISABLED_INSTRUMENTATIONS names what is not traced here: ${names}. The README has the names.`,
  CONFIG_NO_EFFECT: (names: string) =>
    `Without effect here: ${names}. \`npx spanloom-tracer config\` says why.`,
  CONFIG_UNKNOWN: (name: string, nearest: string) =>
    `${name} is not a setting; did you mean ${nearest}?`,
  CONFIG_UNSUPPORTED: (name: string, value: string, used: string) =>
    `${name}="${value}" is not supported by this version; ${used} is used.`,
  ENCODE_FAILED: (reason: string) =>
    `A span could not be encoded and was dropped (${reason}). Further ones are counted, not reported.`,
  EXPORT_DROPPED: (spans: number, reason: string) =>
    `A span exporter did not get ${spans} spans: ${reason}. Further ones are counted, not reported.`,
  INSTRUMENTED: (libraries: string) =>
    `Traced here: ${libraries}. \`npx @spanloom/tracer doctor\` says more.`,
  INSTRUMENT_LATE: (libraries: string) =>
    `Loaded before the tracer: ${libraries}. What was made of them until then may be missing; start with node --import @spanloom/tracer/register.`,
  INSTRUMENT_UNSUPPORTED: (library: string, version: string, supported: string) =>
    `${library} ${version} is not traced; supported are ${supported}.`,
  INSTRUMENT_FAULT: (place: string, reason: string) =>
    `A fault in the tracer at ${place}; the app is unaffected, further ones are not reported. ${reason}`,
  INSTRUMENT_NO_ESM: (names: string) =>
    `import-in-the-middle, which ${names} needs to patch ES modules, is not to be found; only what is required is patched.`,
  INSTRUMENT_TWICE: (theirs: string, ours: string) =>
    `What this tracer records itself is recorded twice, and left out of what comes from ${theirs}. Remove that, or set OTEL_NODE_DISABLED_INSTRUMENTATIONS=${ours}.`,
  NODE_NO_REQUIRE: () =>
    'node was started with --no-experimental-require-module, without which the tracer cannot load its parts: nothing is traced, and the app runs as without it.',
  NODE_TOO_OLD: (version: string) =>
    `This is Node ${version}, and the tracer needs 22.15 or later: nothing is traced, and the app runs as without it.`,
  OVERHEAD_SHED: (percent: number, maxPercent: number, what: string) =>
    `Tracing took ${percent.toFixed(1)} % of a CPU, of ${maxPercent} % allowed (SPANLOOM_MAX_OVERHEAD): ${what}.`,
  SAMPLE_OPERATIONS: (operationsMax: number) =>
    `More than ${operationsMax} operations; further ones are sampled by the default of the strategy, without a lower bound. Do span names hold ids?`,
  SAMPLE_SERVICE_BACK: (address: string, failures: number) =>
    `The sampling service at ${address} answers again, after ${failures} failures.`,
  SAMPLE_SERVICE_SILENT: (address: string, reason: string, used: string) =>
    `No answer from the sampling service at ${address} (${reason}); ${used}. It is asked again; further failures are counted, not reported.`,
  SAMPLE_STRATEGY_BAD: (address: string, problem: string, used: string) =>
    `The sampling service at ${address} says what is not understood (${problem}); ${used}. Further such answers are counted, not reported.`,
  SEND_DROPPED: (spans: number, reason: string) => `${spans} spans were dropped: ${reason}.`,
  SEND_DROPPED_PAYLOADS: (payloads: number, signal: string, reason: string) =>
    `${payloads} payloads of ${signal} were dropped: ${reason}.`,
  SEND_REFUSED_ITEMS: (items: number, signal: string, reason: string) =>
    `${items} items of a payload of ${signal} were refused: ${reason}.`,
  SEND_EXIT: (spans: number) =>
    `${spans} spans were not delivered before the process ended. Does the collector answer?`,
  SEND_UNREACHABLE: (address: string, reason: string, megabytes: number) =>
    `No delivery to the collector at ${address} (${reason}). Spans wait in memory, up to ${megabytes} MB.`,
  SEND_TLS_FILE: (file: string, reason: string) =>
    `${file} could not be read (${reason}); TLS goes on without it.`,
  SEND_ZSTD_REFUSED: (signal: string, status: number) =>
    `The collector does not take zstd for ${signal} (it answered ${status}); gzip is used.`,
  START_FAILED: (reason: string) =>
    `The tracer could not start: nothing is traced, and the app runs as without it. ${reason}`,
  STATS_OVERFLOW: (seriesMax: number) =>
    `More than ${seriesMax} span series in ten seconds; calls of further ones are counted together. Do span names hold ids?`,
  SEND_NO_WORKER: (reason: string) =>
    `No worker thread for sending (${reason}); spans are sent from the main thread.`
} as const

export type NoticeCode = keyof typeof MESSAGES

export type Notify = <Code extends NoticeCode>(
  code: Code,
  ...facts: Parameters<(typeof MESSAGES)[Code]>
) => void

export function noticeText<Code extends NoticeCode>(
  code: Code,
  facts: Parameters<(typeof MESSAGES)[Code]>
): string {
  const describe = MESSAGES[code] as (...facts: unknown[]) => string
  return `[spanloom] ${code}: ${describe(...facts)}`
}

/** What is said at each `OTEL_LOG_LEVEL`: what stands for itself, and all above it. */
const LEVELS = ['none', 'error', 'warn', 'info'] as const
export type NoticeLevel = (typeof LEVELS)[number]

/** What is not listed is a warning. */
const LEVEL_OF: Readonly<Partial<Record<NoticeCode, NoticeLevel>>> = {
  CONFIG_AGENT: 'info',
  CONFIG_IN_EFFECT: 'info',
  CONFIG_NO_EFFECT: 'info',
  INSTRUMENTED: 'info',
  SAMPLE_SERVICE_BACK: 'info',
  ENCODE_FAILED: 'error',
  INSTRUMENT_FAULT: 'error',
  START_FAILED: 'error',
  SEND_DROPPED: 'error',
  SEND_DROPPED_PAYLOADS: 'error',
  SEND_REFUSED_ITEMS: 'error',
  SEND_EXIT: 'error'
}

/** Writes at once, also while the main thread waits and in a worker, whose streams go through it. */
export const notifyStderr: Notify = (code, ...facts) => {
  try {
    writeSync(2, `${noticeText(code, facts)}\n`)
  } catch {
    // stderr is closed or full: there is nobody to tell.
  }
}

export function notifyAt(level: NoticeLevel, notify: Notify = notifyStderr): Notify {
  const max = LEVELS.indexOf(level)
  if (max === LEVELS.length - 1) return notify
  return (code, ...facts) => {
    if (LEVELS.indexOf(LEVEL_OF[code] ?? 'warn') <= max) notify(code, ...facts)
  }
}
