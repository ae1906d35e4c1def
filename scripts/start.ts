/**
 * `npm start`: builds what needs building, then starts the collector, the example shop and its
 * shoppers, and stays up until it is told to stop.
 *
 *   start ─┬→ collector (its store is a child of its own)
 *          └→ shop: seven processes, and a shopper
 *
 * Ctrl-C, SIGTERM and SIGHUP end the shoppers, then the services (whose tracers deliver what they
 * hold), then the collector: within 5 s, which is why each part has a deadline below. The children
 * are in sessions of their own, so that a terminal's Ctrl-C does not end them all at once; and each
 * stops when its IPC channel closes, so that nothing outlives a killed `npm start`.
 *
 * Exit code: 0 after a stop, 1 when something died, 2 for a mistake on the command line.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Shop, ShopError, startShop } from '@spanloom/example-shop'
import { helpText, OptionError, parseStartOptions, type StartOptions } from './start-options.ts'

const ROOT_DIR = fileURLToPath(new URL('..', import.meta.url))
const COLLECTOR_MAIN = `${ROOT_DIR}packages/collector/dist/main.js`
/** Together less than the 5 s that are promised. */
const SHOP_STOP_MS_MAX = 3_000
const COLLECTOR_STOP_MS_MAX = 1_700
/** npm hands a terminal's Ctrl-C on to us, who got it already: not a second one. */
const SECOND_SIGNAL_AFTER_MS = 1_000
const LOOK_FOR_PARENT_EVERY_MS = 250
/** A build that is up to date takes less, and is not worth a line. */
const SAY_BUILDING_AFTER_MS = 1_500
const SHOPPERS_PER_SECOND = 10

interface Running {
  build?: ChildProcess
  collector?: ChildProcess
  /** Settles when the shop is open, or is not going to be. */
  opening?: Promise<void>
  shop?: Shop
}

const running: Running = {}
const stopping = new AbortController()
let stoppingSinceMs: number | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stoppingSinceMs === undefined) void stop(0)
    else if (performance.now() - stoppingSinceMs > SECOND_SIGNAL_AFTER_MS) killAll(1)
  })
}

stopWithParent()
await main()

async function main(): Promise<void> {
  try {
    // Paths are relative to where npm was called, not to the root that npm runs scripts in.
    const { INIT_CWD = process.cwd() } = process.env
    const options = parseStartOptions(process.argv.slice(2), INIT_CWD)
    if (options.help) console.log(helpText())
    else await start(options)
  } catch (error) {
    if (stoppingSinceMs !== undefined) return
    const isPortTaken = error instanceof ShopError && error.code === 'SHOP_PORT_TAKEN'
    const advice = isPortTaken ? ' Choose others for the shop with --shop-port, or --no-demo.' : ''
    console.error((error instanceof Error ? error.message : String(error)) + advice)
    await stop(isPortTaken || error instanceof OptionError ? 2 : 1)
  }
}

async function start(options: StartOptions): Promise<void> {
  await build()
  if (stoppingSinceMs !== undefined) return
  const { uiUrl, otlpUrl } = await startCollector(options.collectorArgs)
  if (options.demo) {
    running.opening = openShop(otlpUrl, options.shopPort)
    await running.opening
  }
  if (stoppingSinceMs !== undefined) return
  console.log(`Spanloom is at ${uiUrl} (Ctrl-C ends it).`)
}

/** Turbo builds only what changed since it was built last. */
async function build(): Promise<void> {
  const turbo = createRequire(import.meta.url).resolve('turbo/bin/turbo')
  const say = (): void => console.log('Building…')
  const timer = setTimeout(say, existsSync(COLLECTOR_MAIN) ? SAY_BUILDING_AFTER_MS : 0)
  const child = spawn(process.execPath, [turbo, 'run', 'build', '--output-logs=errors-only'], {
    cwd: ROOT_DIR,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  running.build = child
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  delete running.build
  if (code !== 0) throw new Error(`${output}\nThe build failed.`)
}

function startCollector(
  args: readonly string[]
): Promise<{ readonly uiUrl: string; readonly otlpUrl: string }> {
  const child = fork(COLLECTOR_MAIN, args, {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: process.platform !== 'win32'
  })
  running.collector = child
  return new Promise((resolve, reject) => {
    let isReady = false
    child.once('error', reject)
    child.on('message', (message: { type: string; uiUrl: string; otlpUrl: string }) => {
      if (message.type !== 'ready') return
      isReady = true
      resolve(message)
    })
    child.once('exit', (code, signal) => {
      delete running.collector
      if (stoppingSinceMs !== undefined) return
      // It has said why, in one line.
      if (!isReady) void stop(code === 2 ? 2 : 1)
      else stopAfterDeath('The collector', signal ?? `exit code ${code}`)
    })
  })
}

async function openShop(otlpUrl: string, basePort: number): Promise<void> {
  const shop = await startShop({
    otlpUrl,
    basePort,
    signal: stopping.signal,
    onLine: (name, line) => console.error(`[${name}] ${line}`),
    onDeath: (name, how) => {
      if (running.shop !== undefined) stopAfterDeath(`The shop's ${name}`, how)
    }
  })
  running.shop = shop
  shop.shopper({ perSecond: SHOPPERS_PER_SECOND, seed: Date.now() })
  console.log(
    `The example shop is at http://${shop.addresses.storefront}, ` +
      `with about ${SHOPPERS_PER_SECOND} requests a second.`
  )
}

/**
 * npm runs us through a shell, and a signal to npm may end only that: whoever is left without the
 * npm that started it has been stopped, too. Not so without npm, where a shell may well go first.
 */
function stopWithParent(): void {
  const { npm_lifecycle_event: script } = process.env
  if (script === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) void stop(0)
  }, LOOK_FOR_PARENT_EVERY_MS).unref()
}

function stopAfterDeath(who: string, how: string): void {
  if (stoppingSinceMs !== undefined) return
  console.error(`${who} ended unexpectedly (${how}); everything is stopped.`)
  void stop(1)
}

async function stop(exitCode: number): Promise<void> {
  if (stoppingSinceMs !== undefined) return
  stoppingSinceMs = performance.now()
  stopping.abort()
  running.build?.kill('SIGTERM')
  await running.opening?.catch(() => undefined)
  const { shop, collector } = running
  if (shop !== undefined) {
    const timer = setTimeout(() => shop.kill(), SHOP_STOP_MS_MAX)
    await shop.stop()
    clearTimeout(timer)
  }
  if (collector !== undefined && collector.exitCode === null && collector.signalCode === null) {
    const ended = once(collector, 'exit')
    const timer = setTimeout(() => collector.kill('SIGKILL'), COLLECTOR_STOP_MS_MAX)
    collector.kill('SIGTERM')
    await ended
    clearTimeout(timer)
  }
  process.exit(exitCode)
}

function killAll(exitCode: number): void {
  running.build?.kill('SIGKILL')
  running.shop?.kill()
  running.collector?.kill('SIGKILL')
  process.exit(exitCode)
}
