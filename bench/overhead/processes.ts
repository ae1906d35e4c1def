/**
 * The processes of a run, each with an IPC channel: the app that is measured, and the helpers around it (load,
 * span sink, upstream, database), which live as long as the bench. Nothing but the app is in the app's process.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Modules, TRACERS, type TracerName } from './tracers.ts'

export const APP_NAMES = ['nodeHttp', 'express', 'fastify', 'expressFetchPg'] as const
export type AppName = (typeof APP_NAMES)[number]

const ANSWER_WAIT_MS = 60_000
const STOP_WAIT_MS = 5_000
const STDERR_CHARS_MAX = 4_000

/** A child that answers each message with one message. */
export class Child {
  readonly #process: ChildProcess
  #stderr = ''

  constructor(path: string, execArgv: readonly string[], env: Readonly<Record<string, string>>) {
    this.#process = fork(fileURLToPath(new URL(path, import.meta.url)), {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      execArgv: [...execArgv],
      env: { ...cleanEnv(), ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX)
    })
  }

  get pid(): number {
    return this.#process.pid!
  }

  async answer<Answer>(): Promise<Answer> {
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(ANSWER_WAIT_MS)])
    try {
      const [answer] = await Promise.race([
        once(this.#process, 'message', { signal }),
        once(this.#process, 'exit', { signal }).then(([code]) => {
          throw new Error(`${this.#process.spawnargs.at(-1)} ended with ${code}`)
        })
      ])
      return answer as Answer
    } catch (cause) {
      throw new Error(`No answer from ${this.#process.spawnargs.at(-1)}.\n${this.#stderr}`, {
        cause
      })
    } finally {
      stop.abort()
    }
  }

  ask<Answer>(question: unknown): Promise<Answer> {
    const answer = this.answer<Answer>()
    this.#process.send(question as object)
    return answer
  }

  /** The app ends itself, so that profilers write what they have. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.send('stop')
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), STOP_WAIT_MS)
    await exit
    clearTimeout(kill)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

/** What the machine's owner has set for a tracer of their own must not reach those measured. */
function cleanEnv(): NodeJS.ProcessEnv {
  const foreign = /^(OTEL_|DD_|_DD_|SPANLOOM_|NODE_OPTIONS$|NODE_COMPILE_CACHE$|npm_)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

export interface LoadOrder {
  readonly url: string
  readonly connections: number
  readonly requests: number
}

/** Of requests that all completed with a status of 200: any other outcome is a failure of the bench. */
export interface LoadResult {
  readonly requestsPerSecond: number
  readonly p99Ms: number
}

export interface SinkCounts {
  readonly spans: number
  readonly serverSpans: number
  readonly clientSpans: number
}

export interface Usage {
  /** User and system time of the process with all its threads, since it began. */
  readonly cpuMicros: number
  readonly mainThreadMicros: number
  readonly rssBytes: number
}

export class Helpers {
  readonly #load = new Child('load.ts', [], {})
  readonly #sink = new Child('sink.ts', [], {})
  readonly #upstream = new Child('upstream.ts', [], {})
  readonly #database = new Child('database.ts', [], {})
  sinkUrl = ''
  appEnv: Readonly<Record<string, string>> = {}

  async start(): Promise<this> {
    const [{ url }, upstream, database] = await Promise.all([
      this.#sink.answer<{ url: string }>(),
      this.#upstream.answer<{ url: string }>(),
      this.#database.answer<{ url: string }>(),
      this.#load.answer()
    ])
    this.sinkUrl = url
    this.appEnv = { UPSTREAM_URL: upstream.url, DATABASE_URL: database.url }
    return this
  }

  load(order: LoadOrder): Promise<LoadResult> {
    return this.#load.ask(order)
  }

  /** What has arrived since the last `reset`. */
  spansArrived(): Promise<SinkCounts> {
    return this.#sink.ask('counts')
  }

  async resetSpans(): Promise<void> {
    await this.#sink.ask('reset')
  }

  stop(): void {
    for (const child of [this.#load, this.#sink, this.#upstream, this.#database]) child.kill()
  }
}

/** From the spawn until the app listens. */
export interface Start {
  readonly wallMs: number
  /** Of all threads; says more than the wall clock where others use the machine. */
  readonly cpuMs: number
}

export class App {
  readonly #child: Child
  readonly start: Start
  readonly url: string

  private constructor(child: Child, start: Start, port: number) {
    this.#child = child
    this.start = start
    this.url = `http://127.0.0.1:${port}/hello/world`
  }

  static async start(
    helpers: Helpers,
    app: AppName,
    tracer: TracerName,
    modules: Modules,
    execArgv: readonly string[] = []
  ): Promise<App> {
    const { execArgv: own, env } = TRACERS[tracer]
    const file = `apps/${app}.${modules === 'esm' ? 'mjs' : 'cjs'}`
    const begin = performance.now()
    const child = new Child(file, [...own[modules], ...execArgv], {
      ...helpers.appEnv,
      ...env(helpers.sinkUrl)
    })
    try {
      const { port, cpuMicros } = await child.answer<{ port: number; cpuMicros: number }>()
      const wallMs = performance.now() - begin
      return new App(child, { wallMs, cpuMs: cpuMicros / 1_000 }, port)
    } catch (fault) {
      child.kill()
      throw fault
    }
  }

  get pid(): number {
    return this.#child.pid
  }

  usage(): Promise<Usage> {
    return this.#child.ask('usage')
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}
