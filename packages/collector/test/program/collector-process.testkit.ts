/** The real program in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CollectorProcess {
  readonly child: ChildProcess
  readonly uiUrl: string
  readonly otlpUrl: string
  /** Resolves with the exit code once it has ended; `undefined` when a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | undefined>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function launch(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = fork(MAIN, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { PATH: process.env.PATH, ...environment }
  })
  const heard = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    heard.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    heard.stderr += chunk
  })
  return { child, heard }
}

/** Resolves when it is ready. */
export async function startCollector(
  dataDir: string,
  args: readonly string[] = []
): Promise<CollectorProcess> {
  const ports = ['--otlp-port', '0', '--ui-port', '0']
  const { child, heard } = launch(['--data-dir', dataDir, ...ports, ...args])
  const ready = once(child, 'message') as Promise<[{ uiUrl: string; otlpUrl: string }]>
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the collector ended before it was ready: ${heard.stderr}`)
  })
  ended.catch(() => {})
  const [{ uiUrl, otlpUrl }] = await Promise.race([ready, ended])
  return {
    child,
    uiUrl,
    otlpUrl,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? undefined
      const exited = once(child, 'exit')
      child.kill(signal)
      const [code] = await exited
      return code ?? undefined
    }
  }
}

/** For starts that are meant to fail, and for `--help`. */
export async function runCollector(
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
  started?: (child: ChildProcess) => void
): Promise<Ended> {
  const { child, heard } = launch(args, environment)
  started?.(child)
  const [code] = await once(child, 'close')
  return { code, ...heard }
}
