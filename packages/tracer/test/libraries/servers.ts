/**
 * Real servers for tests: started on a free port with their files in a temporary directory, waited for
 * until they answer, ended by their pid. A test asks `hasServer` first: without the program it is skipped
 * and says so; with CI set it fails.
 *
 *   const redis = await startServer('redis')      redis.port      await redis.stop()
 *
 * Limits: two programs may be told the same free port when they start at once, then one of them fails.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type ServerName =
  | 'redis'
  | 'redis-cluster'
  | 'mariadb'
  | 'ferretdb'
  | 'postgres'
  | 'memcached'
  | 'nats'

export interface RunningServer {
  readonly port: number
  stop(): Promise<void>
}

interface Recipe {
  /** Names of the program on PATH or in the system's folders. */
  readonly program: string
  /** Holds the program's path where it lies elsewhere. */
  readonly variable: string
  /** What has to be done in the directory first. */
  prepare?(directory: string): void
  args(directory: string, port: number): string[]
  /** For a program that refuses to run as root: who runs it then. */
  readonly user?: string
  /** The first bytes to send, and what an answer holds once the server can be used; MariaDB speaks first. */
  readonly hello: string
  readonly answer: RegExp
}

const isRoot = process.getuid?.() === 0
const AS_ROOT = isRoot ? ['--user=root'] : []
const SYSTEM_FOLDERS = [
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
  // Debian's folder for each major.
  ...[18, 17, 16, 15, 14, 13].map((major) => `/usr/lib/postgresql/${major}/bin`)
]
const READY_WITHIN_MS = 60_000
const ENDED_WITHIN_MS = 10_000

const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  redis: {
    program: 'redis-server',
    variable: 'REDIS_BIN',
    args: (directory, port) =>
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory].concat([
        '--appendonly',
        'no'
      ]),
    hello: 'PING\r\n',
    answer: /\+PONG/
  },
  // One node that has all slots.
  'redis-cluster': {
    program: 'redis-server',
    variable: 'REDIS_BIN',
    args: (directory, port) => [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
      '--cluster-enabled',
      'yes',
      '--cluster-announce-ip',
      '127.0.0.1',
      // The bus listens on the port plus 10,000, which may be none.
      '--cluster-port',
      `${port > 50_000 ? port - 10_000 : port + 10_000}`
    ],
    hello: 'CLUSTER ADDSLOTSRANGE 0 16383\r\nCLUSTER INFO\r\n',
    answer: /cluster_state:ok/
  },
  mariadb: {
    program: 'mariadbd',
    variable: 'MARIADB_BIN',
    prepare: (directory) =>
      void execFileSync(
        'mariadb-install-db',
        [
          '--no-defaults',
          ...AS_ROOT,
          `--datadir=${directory}/data`,
          '--auth-root-authentication-method=normal',
          '--skip-test-db'
        ],
        { stdio: 'ignore', env: { ...process.env, PATH: searchPath() } }
      ),
    args: (directory, port) => [
      '--no-defaults',
      ...AS_ROOT,
      `--datadir=${directory}/data`,
      `--socket=${directory}/socket`,
      `--pid-file=${directory}/pid`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--innodb-buffer-pool-size=8M',
      '--performance-schema=off'
    ],
    hello: '',
    answer: /MariaDB|mysql_native_password/
  },
  postgres: {
    program: 'postgres',
    variable: 'POSTGRES_BIN',
    user: 'postgres',
    prepare: (directory) =>
      void run('initdb', ['--username=postgres', '--auth=trust', `${directory}/data`], 'postgres'),
    args: (directory, port) => [
      '-D',
      `${directory}/data`,
      '-p',
      `${port}`,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${directory}`,
      '-c',
      'fsync=off'
    ],
    // Asks whether TLS can be had: N is no.
    hello: '\0\0\0\b\x04\xd2\x16/',
    answer: /^N/
  },
  memcached: {
    program: 'memcached',
    variable: 'MEMCACHED_BIN',
    args: (_directory, port) => [
      '-l',
      '127.0.0.1',
      '-p',
      `${port}`,
      '-m',
      '8',
      ...(isRoot ? ['-u', 'root'] : [])
    ],
    hello: 'version\r\n',
    answer: /^VERSION/
  },
  nats: {
    program: 'nats-server',
    variable: 'NATS_BIN',
    args: (directory, port) => ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', directory],
    hello: '',
    answer: /^INFO/
  },
  ferretdb: {
    program: 'ferretdb',
    variable: 'FERRETDB_BIN',
    args: (directory, port) => [
      '--handler=sqlite',
      `--sqlite-url=file:${directory}/`,
      `--state-dir=${directory}`,
      `--listen-addr=127.0.0.1:${port}`,
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=error'
    ],
    // A connection that is accepted is an answer: it says nothing of itself.
    hello: '',
    answer: /(?:)/
  }
}

export function hasServer(name: ServerName): boolean {
  if (programOf(name) !== undefined) return true
  const { program, variable } = RECIPES[name]
  // Not packaged by distributions: a fake at the wire level serves those tests everywhere.
  if (process.env.CI === 'true' && name !== 'ferretdb') throw new Error(`No ${program} on PATH`)
  console.warn(`Skipped: no ${program} on PATH nor in ${variable}`)
  return false
}

export async function startServer(name: ServerName): Promise<RunningServer> {
  const recipe = RECIPES[name]
  const directory = mkdtempSync(join(tmpdir(), `spanloom-${name}-`))
  if (isRoot && recipe.user !== undefined) execFileSync('chown', [recipe.user, directory])
  recipe.prepare?.(directory)
  const port = await freePort()
  const command = asUser(programOf(name)!, recipe.args(directory, port), recipe.user)
  const child = spawn(command[0]!, command.slice(1), {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4_096)
  })
  const stop = async () => {
    await end(child)
    rmSync(directory, { recursive: true, force: true })
  }
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await answers(port, recipe))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${recipe.program} does not answer on port ${port}: ${said}`)
    }
    await sleep(50)
  }
  return { port, stop }
}

function run(program: string, args: readonly string[], user: string): void {
  const command = asUser(program, args, user)
  execFileSync(command[0]!, command.slice(1), {
    stdio: 'ignore',
    env: { ...process.env, PATH: searchPath() }
  })
}

/** `setpriv` becomes the program, so that a signal to it is one to the program. */
function asUser(program: string, args: readonly string[], user: string | undefined): string[] {
  if (!isRoot || user === undefined) return [program, ...args]
  return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', program, ...args]
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDED_WITHIN_MS)
  await ended
  clearTimeout(timer)
}

function answers(port: number, { hello, answer }: Recipe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(1_000, () => done(false))
    socket.on('error', () => done(false))
    socket.on('connect', () => {
      if (answer.test('')) done(true)
      else socket.write(hello, 'latin1')
    })
    socket.on('data', (chunk) => done(answer.test(chunk.toString('latin1'))))
  })
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function programOf(name: ServerName): string | undefined {
  const { program, variable } = RECIPES[name]
  const given = process.env[variable]
  if (given !== undefined) return given
  return searchPath()
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isProgram)
}

function searchPath(): string {
  return [process.env.PATH ?? '', ...SYSTEM_FOLDERS].join(delimiter)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
