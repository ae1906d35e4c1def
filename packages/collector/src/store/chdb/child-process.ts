/**
 * One life of the engine's child process: start it, open the database in it, run statements by
 * session, notice its end. `engine-host.ts` starts the next one.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CollectorError } from '../../errors.ts'
import { type FromChild, READER_SESSIONS, type ToChild } from './engine-messages.ts'

/** Loading 566 MB of library from a cold disk takes seconds; opening retries on top of that. */
const START_MS_MAX = 60_000
const LOCK_WAIT_MS = 5_000
const LOCK_RETRY_MS = 50
/** What the engine said last, for error messages. */
const STDERR_CHARS_MAX = 4_000

const CHILD_FILE = import.meta.url.endsWith('.ts') ? './engine-child.ts' : './engine-child.js'

export class StatementError extends Error {
  /** ClickHouse's number; 0 when it gave none. */
  readonly clickhouseCode: number

  constructor(clickhouseCode: number, message: string) {
    super(message)
    this.name = 'StatementError'
    this.clickhouseCode = clickhouseCode
  }
}

interface Running {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

export class EngineProcess {
  readonly #child: ChildProcess
  readonly #dataDir: string
  readonly #running = new Map<number, Running>()
  #stderr = ''
  #nextId = 1
  #ended = false
  #onOpen: ((message: FromChild & { type: 'opened' | 'openFailed' }) => void) | undefined
  /** Resolves, with what there is to say, when the process is gone. */
  readonly ended: Promise<string>

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#child = fork(fileURLToPath(new URL(CHILD_FILE, import.meta.url)), [], {
      cwd: dataDir,
      serialization: 'advanced',
      // Its JavaScript only passes bytes on.
      execArgv: ['--max-semi-space-size=1', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    this.#child.on('message', (message: FromChild) => this.#receive(message))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX)
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(this.#end(error.message)))
      this.#child.once('exit', (code, signal) => {
        resolve(this.#end(`its process ended with ${signal ?? `exit code ${code}`}`))
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * A collector that was killed leaves a child that ends itself within milliseconds; until then
   * it holds the lock.
   */
  async open(): Promise<void> {
    const startedAt = performance.now()
    const timer = setTimeout(() => this.kill(), START_MS_MAX)
    try {
      for (;;) {
        const answer = await this.#tryOpen()
        if (answer.type === 'opened') return
        if (answer.reason === 'missing') {
          throw new CollectorError('STORE_ENGINE_MISSING', [firstLine(answer.message)])
        }
        // The reason comes on stderr only, after the answer.
        await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
        const locked = this.#stderr.includes('Cannot lock file')
        if (locked && performance.now() - startedAt < LOCK_WAIT_MS) continue
        if (locked) throw new CollectorError('STORE_LOCKED', [this.#dataDir])
        throw new CollectorError('STORE_OPEN_FAILED', [
          `${firstLine(answer.message)} ${this.#stderr.trim()}`
        ])
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** One statement at a time and session. */
  run(session: number, sql: string): Statement {
    const id = this.#nextId++
    const bytes = new Promise<Uint8Array>((resolve, reject) => {
      if (this.#ended) reject(unavailable(this.#stderr))
      else this.#running.set(id, { resolve, reject })
    })
    this.#send({ type: 'run', id, session, sql })
    return { bytes, cancel: () => this.#send({ type: 'cancel', id }) }
  }

  /** Its own way out can hang, and SIGKILL loses nothing. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #tryOpen(): Promise<FromChild & { type: 'opened' | 'openFailed' }> {
    return new Promise((resolve, reject) => {
      this.#onOpen = resolve
      void this.ended.then((reason) => reject(new CollectorError('STORE_OPEN_FAILED', [reason])))
      this.#send({ type: 'open' })
    })
  }

  #receive(message: FromChild): void {
    if (message.type === 'opened' || message.type === 'openFailed') {
      this.#onOpen?.(message)
      return
    }
    const running = this.#running.get(message.id)
    this.#running.delete(message.id)
    if (message.type === 'result') running?.resolve(message.bytes)
    else running?.reject(new StatementError(message.code, message.message))
  }

  #send(message: ToChild): void {
    // A failed send is a child that is ending: `ended` rejects what is under way.
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  #end(reason: string): string {
    this.#ended = true
    const said = this.#stderr.trim()
    const full = said === '' ? reason : `${reason} after saying: ${said}`
    for (const { reject } of this.#running.values()) reject(unavailable(full))
    this.#running.clear()
    return full
  }
}

export interface Statement {
  /** @throws StatementError by the engine; CollectorError STORE_UNAVAILABLE when it ended. */
  readonly bytes: Promise<Uint8Array>
  cancel(): void
}

export const SESSION_COUNT = 1 + READER_SESSIONS

function unavailable(reason: string): CollectorError {
  return new CollectorError('STORE_UNAVAILABLE', [`the engine stopped; ${reason}`])
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
