/**
 * The collector as its users run it: a process with a data directory and two ports. It can be
 * killed and started again on the same ones.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createQueryClient, type QueryClient } from '@spanloom/query-api'

const MAIN = fileURLToPath(import.meta.resolve('@spanloom/collector/main'))
/** A cold start makes the store's tables; a restart replays what was open. */
const START_MS_MAX = 60_000
const STOP_MS_MAX = 20_000

export interface CollectorProcess {
  readonly pid: number
  readonly uiUrl: string
  readonly otlpUrl: string
  readonly query: QueryClient
  /** What it printed so far, both streams. */
  output(): string
  /** SIGTERM. Resolves with the exit code. @throws when it does not end. */
  stop(): Promise<number | null>
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
}

export interface CollectorOptions {
  readonly dataDir: string
  /** 0 or none: any. */
  readonly otlpPort?: number
  readonly uiPort?: number
  readonly args?: readonly string[]
  /** It ended without being told to. */
  readonly onDeath?: (how: string) => void
}

/** @throws with what it printed, when it does not get ready. */
export async function startCollector(options: CollectorOptions): Promise<CollectorProcess> {
  const { dataDir, otlpPort = 0, uiPort = 0, args = [] } = options
  const child = fork(
    MAIN,
    [
      ...['--data-dir', dataDir, '--otlp-port', String(otlpPort), '--ui-port', String(uiPort)],
      ...args
    ],
    {
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    }
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ready = await readyMessage(child, () => output)
  let isExpected = false
  child.once('exit', (code, signal) => {
    if (!isExpected) options.onDeath?.(`${signal ?? `exit code ${code}`}: ${output.slice(-2_000)}`)
  })
  return {
    pid: child.pid!,
    ...ready,
    query: createQueryClient(ready.uiUrl),
    output: () => output,
    stop: async () => {
      isExpected = true
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      const code = await end(child, 'SIGTERM')
      clearTimeout(timer)
      if (child.signalCode === 'SIGKILL') throw new Error(`The collector did not stop.\n${output}`)
      return code
    },
    kill: async () => {
      isExpected = true
      await end(child, 'SIGKILL')
    }
  }
}

/** A port that was free a moment ago, for those who must know it before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function readyMessage(
  child: ChildProcess,
  output: () => string
): Promise<{ readonly uiUrl: string; readonly otlpUrl: string }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`The collector did not start: ${why}\n${output()}`))
    }
    const timer = setTimeout(() => fail(`not ready after ${START_MS_MAX} ms.`), START_MS_MAX)
    const onExit = (code: number | null, signal: string | null): void => {
      fail(`${signal ?? `exit code ${code}`}.`)
    }
    child.once('exit', onExit)
    child.on('message', (message: { type: string; uiUrl: string; otlpUrl: string }) => {
      if (message.type !== 'ready') return
      clearTimeout(timer)
      child.off('exit', onExit)
      resolve({ uiUrl: message.uiUrl, otlpUrl: message.otlpUrl })
    })
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  return child.exitCode
}
