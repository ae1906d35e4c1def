/**
 * Starts the shop: seven processes, five of them with the tracer, which is all that is ever said
 * about tracing: `node --import @spanloom/tracer/register` and OTEL_* in the environment.
 *
 *   shopper ─→ storefront ─┬→ catalog
 *                          ├→ orders ─┬→ payments
 *                          │          └→ database (PostgreSQL, without the tracer)
 *                          └→ recommendations ─→ ratings (without the tracer)
 *
 * Processes start after those they call and stop before them. Each runs in a session of its own,
 * so that a Ctrl-C in the terminal reaches the launcher alone, which then stops them in order; and
 * each stops by itself when its IPC channel closes, so that a killed launcher leaves no orphans.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CallCount, ServiceCounts } from './lib/counter.ts'
import type { FromService } from './lib/messages.ts'
import type { ShopperReport } from './shopper.ts'

export type { CallCount, ServiceCounts, ShopperReport }

const SHOP_DIR = fileURLToPath(new URL('..', import.meta.url))
const START_MS_MAX = 30_000
const COUNTS_MS_MAX = 5_000
/** A service ends itself 2.5 s after it was told to; this is for one that cannot even do that. */
const STOP_MS_MAX = 3_000
export const DEFAULT_BASE_PORT = 4_400

interface Member {
  readonly traced: boolean
  /** Environment name and scheme of the address that callers are given. */
  readonly address: readonly [name: string, before: string, after: string]
}

/** In the order of their ports: base, base + 1, … */
const MEMBERS = {
  storefront: { traced: true, address: ['STOREFRONT_URL', 'http://', ''] },
  catalog: { traced: true, address: ['CATALOG_URL', 'http://', ''] },
  orders: { traced: true, address: ['ORDERS_URL', 'http://', ''] },
  payments: { traced: true, address: ['PAYMENTS_URL', 'http://', ''] },
  recommendations: { traced: true, address: ['RECOMMENDATIONS_URL', 'http://', ''] },
  ratings: { traced: false, address: ['RATINGS_URL', 'http://', ''] },
  database: { traced: false, address: ['DATABASE_URL', 'postgres://postgres@', '/shop'] }
} as const satisfies Record<string, Member>

export type MemberName = keyof typeof MEMBERS
const NAMES = Object.keys(MEMBERS) as MemberName[]
/** Those of a later row call those of earlier ones. */
const START_ORDER: readonly (readonly MemberName[])[] = [
  ['database', 'ratings', 'payments', 'catalog'],
  ['orders', 'recommendations'],
  ['storefront']
]

export interface ShopOptions {
  /** Where the tracers send to; without it the shop runs untraced. */
  readonly otlpUrl?: string
  /** Seven ports from here; 0 takes any that are free. */
  readonly basePort?: number
  /** Ends a start under way: what was started is stopped, and `startShop` throws. */
  readonly signal?: AbortSignal
  /** More environment for the traced processes. */
  readonly env?: Readonly<Record<string, string>>
  /** Every line that a process prints. */
  readonly onLine?: (name: string, line: string) => void
  /** A process ended without being told to. */
  readonly onDeath?: (name: string, how: string) => void
}

export interface ShopperOptions {
  /** Endless when left out. */
  readonly requests?: number
  readonly perSecond?: number
  readonly concurrency?: number
  readonly seed?: number
}

export interface Shop {
  /** 127.0.0.1:port of each process. */
  readonly addresses: Readonly<Record<MemberName, string>>
  /** What each service counted; the database counts nothing. */
  counts(): Promise<Readonly<Record<Exclude<MemberName, 'database'>, ServiceCounts>>>
  shopper(options: ShopperOptions): { readonly done: Promise<ShopperReport>; stop(): void }
  /** Shoppers first, the database last. Resolves when no process is left. */
  stop(): Promise<void>
  /** SIGKILL at once: to one process, or to all without order. */
  kill(name?: MemberName): void
}

/** Matches by `code`: SHOP_PORT_TAKEN, SHOP_NOT_STARTED. */
export class ShopError extends Error {
  readonly code: 'SHOP_PORT_TAKEN' | 'SHOP_NOT_STARTED'

  constructor(code: ShopError['code'], message: string) {
    super(message)
    this.name = 'ShopError'
    this.code = code
  }
}

/** @throws ShopError, after having stopped what it started. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const basePort = options.basePort ?? DEFAULT_BASE_PORT
  const children = new Map<string, ChildProcess>()
  const addresses = {} as Record<MemberName, string>
  const stopping = { now: false }
  const urls: Record<string, string> = {}

  const start = async (name: MemberName): Promise<void> => {
    const { traced, address } = MEMBERS[name]
    const port = basePort === 0 ? 0 : basePort + NAMES.indexOf(name)
    const child = forkMember(name, traced ? tracerArgs(options) : [], [], {
      ...(traced ? tracerEnv(name, options) : {}),
      ...urls,
      PORT: String(port)
    })
    watch(child, name, options, stopping, children)
    addresses[name] = `127.0.0.1:${await portOf(child, name, port)}`
    urls[address[0]] = address[1] + addresses[name] + address[2]
  }

  const abort = (): void => void stopAll(children, stopping)
  options.signal?.addEventListener('abort', abort)
  try {
    for (const row of START_ORDER) {
      options.signal?.throwIfAborted()
      await Promise.all(row.map(start))
    }
  } catch (error) {
    await stopAll(children, stopping)
    throw error
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }

  return {
    addresses,
    counts: async () => {
      const counted = NAMES.filter((name) => name !== 'database')
      const counts = await Promise.all(counted.map((name) => askCounts(children.get(name), name)))
      return Object.fromEntries(counted.map((name, index) => [name, counts[index]])) as never
    },
    shopper: (shopping) =>
      startShopper(shopping, addresses.storefront, options, children, stopping),
    stop: () => stopAll(children, stopping),
    kill: (name) => {
      if (name !== undefined) {
        children.get(name)?.kill('SIGKILL')
        return
      }
      stopping.now = true
      for (const child of children.values()) child.kill('SIGKILL')
    }
  }
}

function tracerArgs(options: ShopOptions): string[] {
  return options.otlpUrl === undefined ? [] : ['--import', '@spanloom/tracer/register']
}

function tracerEnv(name: string, options: ShopOptions): Record<string, string> {
  if (options.otlpUrl === undefined) return {}
  return {
    OTEL_SERVICE_NAME: name,
    OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=shop,service.version=0.1.0',
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    ...options.env
  }
}

function forkMember(
  file: string,
  execArgv: string[],
  args: string[],
  env: Readonly<Record<string, string>>
): ChildProcess {
  return fork(fileURLToPath(new URL(`./${file}.ts`, import.meta.url)), args, {
    cwd: SHOP_DIR,
    execArgv,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32'
  })
}

function watch(
  child: ChildProcess,
  name: string,
  options: ShopOptions,
  stopping: { now: boolean },
  children: Map<string, ChildProcess>
): void {
  children.set(name, child)
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) options.onLine?.(name, line)
    })
  }
  child.once('exit', (code, signal) => {
    children.delete(name)
    if (!stopping.now) options.onDeath?.(name, signal ?? `exit code ${code}`)
  })
}

/** @throws ShopError */
function portOf(child: ChildProcess, name: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer)
      reject(new ShopError('SHOP_NOT_STARTED', `The shop's ${name} did not start: ${why}`))
    }
    const timer = setTimeout(() => fail(`not ready after ${START_MS_MAX} ms.`), START_MS_MAX)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? `exit code ${code}`}.`))
    child.on('message', (message: FromService) => {
      if (message.type === 'failed' && message.code === 'EADDRINUSE') {
        clearTimeout(timer)
        reject(new ShopError('SHOP_PORT_TAKEN', `Port ${port} is taken.`))
      } else if (message.type === 'failed') {
        fail(message.message)
      } else if (message.type === 'ready') {
        clearTimeout(timer)
        resolve(message.port)
      }
    })
  })
}

let requestIds = 0

function askCounts(child: ChildProcess | undefined, name: string): Promise<ServiceCounts> {
  const requestId = ++requestIds
  return new Promise((resolve, reject) => {
    if (child?.connected !== true) {
      reject(new Error(`The shop's ${name} is not running.`))
      return
    }
    const timer = setTimeout(() => {
      child.off('message', hear)
      reject(new Error(`The shop's ${name} did not tell its counts.`))
    }, COUNTS_MS_MAX)
    const hear = (message: FromService): void => {
      if (message.type !== 'counts' || message.requestId !== requestId) return
      clearTimeout(timer)
      child.off('message', hear)
      resolve(message.counts)
    }
    child.on('message', hear)
    child.send({ type: 'counts', requestId })
  })
}

let shoppers = 0

function startShopper(
  { requests, perSecond, concurrency, seed }: ShopperOptions,
  storefront: string,
  options: ShopOptions,
  children: Map<string, ChildProcess>,
  stopping: { now: boolean }
): { readonly done: Promise<ShopperReport>; stop(): void } {
  const args = ['--url', `http://${storefront}`, '--run-id', String(++shoppers)]
  if (requests !== undefined) args.push('--requests', String(requests))
  if (perSecond !== undefined) args.push('--per-second', String(perSecond))
  if (concurrency !== undefined) args.push('--concurrency', String(concurrency))
  if (seed !== undefined) args.push('--seed', String(seed))
  const name = `shopper ${shoppers}`
  const child = forkMember('shopper', [], args, {})
  let report: ShopperReport | undefined
  child.on('message', (message: ShopperReport) => {
    if (message.type === 'report') report = message
  })
  const done = once(child, 'exit').then(([code, signal]) => {
    if (report !== undefined) return report
    throw new Error(`The ${name} ended without a report: ${signal ?? `exit code ${code}`}.`)
  })
  // Whoever does not wait for it hears of its end from `onDeath`.
  done.catch(() => undefined)
  const own = { now: false }
  const isExpected = {
    get now() {
      return stopping.now || own.now || report !== undefined
    }
  }
  watch(child, name, options, isExpected, children)
  return {
    done,
    stop: () => {
      own.now = true
      child.kill('SIGTERM')
    }
  }
}

async function stopAll(
  children: Map<string, ChildProcess>,
  stopping: { now: boolean }
): Promise<void> {
  stopping.now = true
  const shopperNames = [...children.keys()].filter((name) => name.startsWith('shopper '))
  for (const row of [shopperNames, ...START_ORDER.toReversed()]) {
    await Promise.all(row.map((name) => stopChild(children.get(name))))
  }
}

async function stopChild(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}
