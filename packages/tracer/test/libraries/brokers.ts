/**
 * Real message brokers for the tests, which start more than one process or need more than a line: each on
 * free ports and in a temporary folder of its own, ended by the process ids that were started. A test whose
 * broker is not installed is skipped with a line, and fails in CI.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, type RunningServer } from './servers.ts'

export function isInstalled(binary: string): boolean {
  if (existsSync(binary)) return true
  if (process.env.CI === 'true') throw new Error(`${binary} is not installed`)
  console.warn(`Skipped: ${binary} is not installed`)
  return false
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `spanloom-${name}-`))
}

/** Tries until something listens; fails when the server has ended or the time is up. */
export async function untilListening(
  port: number,
  server: ChildProcess,
  said: () => string,
  deadlineMs = 60_000
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    const gone = server.exitCode !== null || server.signalCode !== null
    if (gone || performance.now() > deadline) throw new Error(`no server: ${said().slice(-2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Starts a program, waits for its port, and ends its whole process group. */
export async function startProgram(
  command: string,
  args: readonly string[],
  port: number,
  folder: string,
  env: Readonly<Record<string, string>> = {}
): Promise<RunningServer> {
  const { NODE_OPTIONS: _, ...own } = process.env
  const server = spawn(command, args, {
    cwd: folder,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000)
    })
  }
  const ended = once(server, 'close')
  const stop = async () => {
    endGroup(server.pid!)
    await ended
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    await untilListening(port, server, () => said)
  } catch (error) {
    await stop()
    throw error
  }
  return { port, stop }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

export const RABBITMQ = '/usr/sbin/rabbitmq-server'

/** It takes seconds to come to its ports, in which another program may have taken one. */
const TRIES = 3

export async function startRabbitmq(): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryRabbitmq()
    } catch (error) {
      if (attempt === TRIES || !String(error).includes('port_already_used')) throw error
    }
  }
}

async function tryRabbitmq(): Promise<RunningServer> {
  const folder = temporaryFolder('rabbitmq')
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  // The node starts its epmd as a daemon, out of reach of a signal to the group: we start it ourselves.
  const epmd = spawn('epmd', ['-port', `${epmdPort}`, '-address', '127.0.0.1'], { stdio: 'ignore' })
  await untilListening(epmdPort, epmd, () => 'epmd')
  const stopEpmd = async () => {
    if (epmd.exitCode !== null || epmd.signalCode !== null) return
    const ended = once(epmd, 'close')
    epmd.kill('SIGKILL')
    await ended
  }
  try {
    // Debian's wrapper changes the user when run as root; the script below it does not.
    const script = '/usr/lib/rabbitmq/bin/rabbitmq-server'
    const server = await startProgram(script, [], port, folder, {
      HOME: folder,
      RABBITMQ_NODENAME: `spanloom${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${distPort}`,
      ERL_EPMD_PORT: `${epmdPort}`,
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_CONF_ENV_FILE: join(folder, 'none')
    })
    return {
      port,
      async stop() {
        await server.stop()
        await stopEpmd()
      }
    }
  } catch (error) {
    await stopEpmd()
    throw error
  }
}
