/**
 * `spanloom-tracer doctor [--seconds N] -- node app.js`: runs the app as it is, watches what it loads and what
 * comes of it, asks the collector, and shows it all on one screen. It ends when the app does, at Ctrl-C, or
 * after N seconds. Exit code 1 when something is to be done.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../config/config.ts'
import { processEnvironment } from '../config/environment.ts'
import { combined, type Findings } from '../doctor/findings.ts'
import { type AppEnd, type CollectorAnswer, reportOf } from '../doctor/report.ts'
import { ownFile } from '../lib/own-file.ts'
import { notifyStderr } from '../notices.ts'
import { createHttpPost } from '../send/http-post.ts'
import { addressOf } from '../send/sender.ts'
import { SDK_VERSION } from '../version.ts'
import type { Command } from './command.ts'

const ANSWER_WAIT_MS = 5_000
const KILL_AFTER_MS = 5_000
const USAGE = 'usage: spanloom-tracer doctor [--seconds N] -- node app.js\n'

export const doctor: Command = async (args, out) => {
  const at = args.indexOf('--')
  const [program, ...programArgs] = at < 0 ? [] : args.slice(at + 1)
  const options = at < 0 ? args : args.slice(0, at)
  const seconds = secondsOf(options)
  if (program === undefined || seconds === undefined) {
    out(USAGE)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'spanloom-doctor-'))
  try {
    const [end, collector] = await Promise.all([
      run(program, programArgs, folder, seconds),
      askCollector()
    ])
    const { text, isWell } = reportOf(readFindings(folder), collector, end)
    out(text)
    return isWell ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** 0: until the app ends; undefined: not understood. */
function secondsOf(options: readonly string[]): number | undefined {
  if (options.length === 0) return 0
  const [name, value] = options
  const seconds = Number(value)
  return options.length === 2 && name === '--seconds' && seconds > 0 ? seconds : undefined
}

function run(
  program: string,
  args: readonly string[],
  folder: string,
  seconds: number
): Promise<AppEnd> {
  const environment = processEnvironment()
  const before = environment.NODE_OPTIONS
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: {
      ...environment,
      // First of all: what the app itself preloads comes after it.
      NODE_OPTIONS: `--import=${ownFile('doctor/observe').href}${before ? ` ${before}` : ''}`,
      SPANLOOM_DOCTOR_FOLDER: folder
    }
  })
  return new Promise((resolve) => {
    let wasAsked = false
    const end = () => {
      wasAsked = true
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
    }
    // Ctrl-C reaches the app as well; the doctor stays to say what it has seen.
    const stay = () => {
      wasAsked = true
    }
    process.on('SIGINT', stay)
    process.on('SIGTERM', end)
    const timer = seconds > 0 ? setTimeout(end, seconds * 1_000) : undefined
    const done = (how: string, hint = '') => {
      clearTimeout(timer)
      process.off('SIGINT', stay)
      process.off('SIGTERM', end)
      resolve({ how, hint, isWell: how === '' || wasAsked })
    }
    child.on('error', ({ message }) => {
      done(`could not be started (${message})`, 'Give the whole command after --.')
    })
    child.on('exit', (code, signal) => {
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
      done(code === 0 ? '' : how, 'What it wrote above may say why.')
    })
  })
}

function readFindings(folder: string): Findings | undefined {
  const all: Findings[] = []
  for (const name of readdirSync(folder)) {
    try {
      if (name.endsWith('.json')) {
        all.push(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Findings)
      }
    } catch {
      // Its process still writes it.
    }
  }
  return combined(all)
}

/** An empty request: every OTLP receiver answers it with success. */
async function askCollector(): Promise<CollectorAnswer> {
  const { endpoints } = readConfig(() => {}, processEnvironment())
  const { timeoutMs, ...traces } = endpoints.traces
  const target = { ...traces, timeoutMs: Math.min(timeoutMs, ANSWER_WAIT_MS) }
  const startedMs = performance.now()
  const http = createHttpPost({
    options: {
      targets: { ...endpoints, traces: target },
      queueBytesMax: 0,
      userAgent: `spanloom-tracer/${SDK_VERSION}`,
      headRateName: undefined
    },
    notify: notifyStderr,
    holdProcess: true,
    headRate: undefined
  })
  const { status, reason } = await http.post(new Uint8Array(), 'traces')
  http.close()
  return { address: addressOf(target), status, reason, tookMs: performance.now() - startedMs }
}
