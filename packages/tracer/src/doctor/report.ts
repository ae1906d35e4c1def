/** The doctor's screen: what was found, and for each thing that is not well, what to do about it. */
import { isTooOld } from '../lib/node-version.ts'
import type { Findings, LibraryFinding } from './findings.ts'

export interface CollectorAnswer {
  readonly address: string
  /** 0: no answer. */
  readonly status: number
  readonly reason: string
  readonly tookMs: number
}

/** How the app came to its end. */
export interface AppEnd {
  /** '' when it ended by itself with exit code 0. */
  readonly how: string
  readonly hint: string
  /** Also when it was the doctor, or Ctrl-C, that ended it. */
  readonly isWell: boolean
}

const NAME_WIDTH = 24
const VERSION_WIDTH = 10

/** Lines for the screen. `isWell` false means that something is to be done. */
export function reportOf(
  findings: Findings | undefined,
  collector: CollectorAnswer,
  end: AppEnd
): { readonly text: string; readonly isWell: boolean } {
  const advice: string[] = []
  const lines = ['', 'Spanloom doctor', '']
  if (!end.isWell) {
    lines.push(`  app         ${end.how}`)
    advice.push(`The app ${end.how}. ${end.hint}`)
  }
  lines.push(tracerLine(findings, end, advice), collectorLine(collector, advice), '')
  lines.push(...libraryLines(findings, advice))
  if (advice.length === 0) lines.push('All is well.')
  else lines.push('What to do:', ...advice.map((line, index) => `  ${index + 1}. ${line}`))
  return { text: `${lines.join('\n')}\n`, isWell: advice.length === 0 }
}

function tracerLine(findings: Findings | undefined, end: AppEnd, advice: string[]): string {
  if (findings === undefined) {
    if (end.isWell) {
      advice.push('The program is no Node.js process: give the whole command after --.')
    }
    return '  tracer      nothing was observed'
  }
  const { tracer, nodeVersion } = findings
  if (isTooOld(nodeVersion)) {
    advice.push(`The tracer needs Node 22.15 or later, and this is ${nodeVersion}.`)
    return `  tracer      not started (node ${nodeVersion})`
  }
  if (!tracer.started) {
    advice.push(
      tracer.isOff
        ? 'Nothing is traced: take back OTEL_SDK_DISABLED=true, or DD_TRACE_ENABLED=false.'
        : 'Start it with the app: node --import @spanloom/tracer/register app.js'
    )
    return `  tracer      ${tracer.isOff ? 'switched off' : 'not started'} (node ${nodeVersion})`
  }
  const { version, serviceName } = tracer
  const times = findings.processes > 1 ? `, in ${findings.processes} processes and threads` : ''
  return `  tracer      ${version}, service "${serviceName}", node ${nodeVersion}${times}`
}

function collectorLine(answer: CollectorAnswer, advice: string[]): string {
  const { address, status, reason, tookMs } = answer
  if (status >= 200 && status < 300) {
    return `  collector   ${address} answers (${status} in ${Math.round(tookMs)} ms)`
  }
  if (status === 0) {
    advice.push(
      `Nobody answers at ${address} (${reason}). Start the collector (spanloom), or set OTEL_EXPORTER_OTLP_ENDPOINT.`
    )
    return `  collector   ${address} does not answer (${reason})`
  }
  advice.push(
    `${address} answers ${status}: is it a collector that takes OTLP over HTTP? ${HINTS[status] ?? ''}`.trim()
  )
  return `  collector   ${address} refuses (${status} ${reason})`
}

const HINTS: Readonly<Record<number, string>> = {
  401: 'It wants credentials: OTEL_EXPORTER_OTLP_HEADERS.',
  403: 'It wants other credentials: OTEL_EXPORTER_OTLP_HEADERS.',
  405: 'It may be the web UI (port 4319); spans go to 4318.',
  404: 'The path may be wrong: OTEL_EXPORTER_OTLP_ENDPOINT is the base, /v1/traces is appended.'
}

function libraryLines(findings: Findings | undefined, advice: string[]): string[] {
  if (findings === undefined) return []
  const { libraries, isBundled, tracer } = findings
  if (libraries.length === 0) {
    if (isBundled && tracer.started) {
      advice.push(
        'The app looks bundled. Add the plugin so that its libraries stay visible: @spanloom/tracer/esbuild, /rollup, /vite or /webpack. If it has none, all is well.'
      )
    }
    return ['  No library that the tracer knows was loaded.', '']
  }
  const lines = libraries.map((found) => libraryLine(found, tracer.started))
  for (const found of libraries) adviseOn(found, tracer.started, advice)
  return [...lines, '']
}

function libraryLine(found: LibraryFinding, isStarted: boolean): string {
  const name = `  ${found.library}`.padEnd(NAME_WIDTH)
  return `${name}${found.version.padEnd(VERSION_WIDTH)}${isStarted ? stateText(found) : 'not traced'}`
}

function stateText({ state, count, supported }: LibraryFinding): string {
  switch (state) {
    case 'used':
      return `instrumented, used ${count} ${count === 1 ? 'time' : 'times'}`
    case 'silent':
      return 'instrumented, but nothing came through it yet'
    case 'late':
      return 'loaded before the tracer, patched afterwards'
    case 'early':
      return 'loaded before the tracer: NOT instrumented'
    case 'unsupported':
      return `version not supported (${supported})`
    case 'off':
      return 'switched off'
  }
}

function adviseOn({ library, state }: LibraryFinding, isStarted: boolean, advice: string[]): void {
  if (!isStarted) return
  if (state === 'early') {
    advice.push(
      `${library} was loaded before the tracer. Use node --import @spanloom/tracer/register, which comes before every import.`
    )
  }
  if (state === 'late') {
    advice.push(
      `${library} was loaded before the tracer: what was made of it until then may be missing. Load the tracer first.`
    )
  }
}
