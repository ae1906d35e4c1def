/** `npm start` as a person runs it: through npm, in a process group of its own like a terminal's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT_DIR = fileURLToPath(new URL('../..', import.meta.url))
const READY_MS_MAX = 120_000
/** npm's own time, and that of the runner, on top of the 5 s that are promised. */
const EXIT_MS_MAX = 15_000
const MARK = 'TEST_START_MARK'
let marks = 0

export interface NpmStart {
  readonly stdout: () => string
  readonly stderr: () => string
  /** The UI's address, once it was printed. */
  ready(): Promise<string>
  /** The exit code, once all is over. */
  ended(): Promise<number | null>
  /** To npm alone, or, like Ctrl-C, to everything in the terminal's foreground. */
  signal(signal: NodeJS.Signals, to?: 'npm' | 'terminal'): void
  /** Processes that this start brought up and that are still there, by their environment (Linux). */
  processes(): { readonly pid: number; readonly command: string }[]
}

export function npmStart(...args: string[]): NpmStart {
  const mark = `${process.pid}-${++marks}`
  const child = spawn('npm', ['start', '--silent', '--', ...args], {
    cwd: ROOT_DIR,
    env: { ...process.env, NODE_OPTIONS: '', INIT_CWD: ROOT_DIR, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  const exit = once(child, 'close').then(([code]) => code as number | null)
  const all = (): string => `stdout: ${texts.stdout}\nstderr: ${texts.stderr}`
  return {
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ready: () => within(READY_MS_MAX, `npm start was not ready`, all, readyUrl(child, texts, exit)),
    ended: () => within(EXIT_MS_MAX, `npm start did not end`, all, exit),
    signal: (signal, to = 'npm') => {
      process.kill(to === 'npm' ? child.pid! : -child.pid!, signal)
    },
    processes: () => processesWith(`${MARK}=${mark}`)
  }
}

async function readyUrl(
  child: ChildProcess,
  texts: { readonly stdout: string },
  exit: Promise<number | null>
): Promise<string> {
  for (;;) {
    const url = /^Spanloom is at (\S+)/m.exec(texts.stdout)?.[1]
    if (url !== undefined) return url
    const next = await Promise.race([once(child.stdout!, 'data'), exit])
    if (!Array.isArray(next)) throw new Error(`npm start ended with exit code ${next}.`)
  }
}

async function within<T>(ms: number, what: string, all: () => string, done: Promise<T>) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms} ms.\n${all()}`)), ms)
  })
  return await Promise.race([done, late]).finally(() => clearTimeout(timer))
}

function processesWith(mark: string): { readonly pid: number; readonly command: string }[] {
  const found: { pid: number; command: string }[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0')
      if (!environment.includes(mark)) continue
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      // A process that ended and was not waited for has no command line any more.
      if (command !== '') found.push({ pid: Number(name), command })
    } catch {
      // It ended while we looked.
    }
  }
  return found
}
