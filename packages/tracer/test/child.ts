/** Runs real apps in child processes, with the built tracer loaded the way a user loads it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./apps', import.meta.url))

export const REGISTER = '@spanloom/tracer/register'

/**
 * Most tests want to see each call that an app makes, and no middleware that a busy machine made slow; who
 * wants other says so.
 */
const APART = { SPANLOOM_COLLAPSE: 'false', SPANLOOM_MIDDLEWARE_SPANS: 'false' }

export interface AppOptions {
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly cwd?: string
}

export class App {
  readonly process: ChildProcess
  stdout = ''
  stderr = ''
  readonly #ended: Promise<[number | null, NodeJS.Signals | null]>
  #seen: (() => void) | undefined

  constructor(file: string, options: AppOptions = {}) {
    const { NODE_OPTIONS: _, ...env } = process.env
    this.process = spawn(
      process.execPath,
      [...(options.nodeArgs ?? []), file, ...(options.args ?? [])],
      {
        cwd: options.cwd ?? folder,
        env: { ...APART, ...env, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc']
      }
    )
    this.process.stdout!.on('data', (chunk) => {
      this.stdout += chunk
      this.#seen?.()
    })
    this.process.stderr!.on('data', (chunk) => {
      this.stderr += chunk
      this.#seen?.()
    })
    this.#ended = once(this.process, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  }

  /** The first match of `pattern` in what the app has written to either stream. */
  async line(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = `${this.stdout}\n${this.stderr}`.match(pattern)
        if (match !== null) {
          this.#seen = undefined
          resolve(match)
        }
      }
      this.#seen = look
      void this.#ended.then(() => reject(new Error(`ended without ${pattern}: ${this.stderr}`)))
      look()
    })
  }

  tell(message: object): void {
    this.process.send?.(message)
  }

  async port(): Promise<number> {
    return Number((await this.line(/listening (\d+)/))[1])
  }

  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const [code, signal] = await this.#ended
    return { code, signal }
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL')
    }
    await this.#ended
  }
}
