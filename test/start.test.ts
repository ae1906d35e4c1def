import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createQueryClient } from '@spanloom/query-api'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type NpmStart, npmStart } from './lib/npm-start.ts'
import { waitFor } from './lib/wait-for.ts'

const ANY_PORTS = ['--otlp-port', '0', '--ui-port', '0']
const SHOP_SERVICES = ['catalog', 'orders', 'payments', 'recommendations', 'storefront']
const WINDOW_MS = 600_000

const IS_LINUX = process.platform === 'linux'
if (!IS_LINUX) console.warn('npm start is not tested: its processes are found in /proc, on Linux.')

const dir = mkdtempSync(join(tmpdir(), 'spanloom-start-'))
const started: NpmStart[] = []

function start(...args: string[]): NpmStart {
  const run = npmStart(...args)
  started.push(run)
  return run
}

/** Calls by service, once each of the shop's five has some. */
async function callsByService(uiUrl: string): Promise<Map<string, number>> {
  const query = createQueryClient(uiUrl)
  return await waitFor('calls of every service', 60_000, async () => {
    const { services } = await query('services', { from: Date.now() - WINDOW_MS })
    const calls = new Map(services.map((row) => [row.service, row.calls]))
    return SHOP_SERVICES.every((service) => (calls.get(service) ?? 0) > 0) ? calls : undefined
  })
}

/** What was said besides that all goes as it should. */
function warnings(run: NpmStart): string[] {
  const lines = run.stderr().split('\n')
  return lines.filter((line) => line !== '' && !/^\S+ info /.test(line))
}

async function noProcessLeft(run: NpmStart): Promise<void> {
  await waitFor(
    'no process is left',
    10_000,
    () => run.processes().length === 0 || undefined
  ).catch(() => expect(run.processes()).toEqual([]))
}

afterEach(() => {
  for (const run of started.splice(0)) {
    for (const { pid } of run.processes()) process.kill(pid, 'SIGKILL')
  }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.runIf(IS_LINUX)('npm start', () => {
  it('brings up a traced shop, ends all of it, and continues on the same data', async () => {
    const args = ['--data-dir', join(dir, 'data'), ...ANY_PORTS, '--shop-port', '0']
    const first = start(...args)
    const before = await callsByService(await first.ready())
    expect(first.processes().length).toBeGreaterThan(8)
    first.signal('SIGTERM')
    expect(await first.ended()).toBe(0)
    await noProcessLeft(first)

    const second = start(...args)
    const after = await callsByService(await second.ready())
    for (const [service, calls] of before) {
      expect(after.get(service), service).toBeGreaterThanOrEqual(calls)
    }
    // As a terminal does: npm gets it, and so do all in its group.
    second.signal('SIGINT', 'terminal')
    expect(await second.ended()).toBe(0)
    expect(warnings(second)).toEqual([])
    await noProcessLeft(second)
  })

  it('leaves no process behind when it is killed', async () => {
    const run = start('--data-dir', join(dir, 'killed'), ...ANY_PORTS, '--shop-port', '0')
    await run.ready()
    const launcher = run.processes().find(({ command }) => command.includes('scripts/start.ts'))
    process.kill(launcher!.pid, 'SIGKILL')
    await run.ended()
    await noProcessLeft(run)
  })

  it('stops everything, and says so, when a process dies', async () => {
    const run = start('--data-dir', join(dir, 'dead'), ...ANY_PORTS, '--shop-port', '0')
    await run.ready()
    const payments = run.processes().find(({ command }) => command.includes('/payments.ts'))
    process.kill(payments!.pid, 'SIGKILL')
    expect(await run.ended()).toBe(1)
    expect(run.stderr()).toContain("The shop's payments ended unexpectedly (SIGKILL)")
    await noProcessLeft(run)
  })

  it('starts the collector alone with --no-demo', async () => {
    const run = start('--data-dir', join(dir, 'alone'), ...ANY_PORTS, '--no-demo')
    const { services } = await createQueryClient(await run.ready())('services', {})
    expect(services).toEqual([])
    expect(run.processes().some(({ command }) => command.includes('storefront'))).toBe(false)
    run.signal('SIGTERM')
    expect(await run.ended()).toBe(0)
    await noProcessLeft(run)
  })
})

describe.runIf(IS_LINUX)('npm start refuses with one line and exit code 2', () => {
  const taken = createServer()
  let port = ''

  beforeAll(async () => {
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    port = String((taken.address() as { port: number }).port)
    writeFileSync(join(dir, 'file'), '')
  })
  afterAll(() => taken.close())

  const alone = ['--no-demo', '--data-dir', join(dir, 'refused')]
  it.each([
    ['an unknown option', () => ['--ui-prot', '1'], /Unknown option "--ui-prot".*"--ui-port"/],
    ['a missing value', () => ['--data-dir'], /--data-dir needs a value/],
    ['a port that is no port', () => [...alone, '--ui-port', '99999'], /ui-port/],
    ['a taken UI port', () => [...alone, '--otlp-port', '0', '--ui-port', port], /--ui-port/],
    ['a taken OTLP port', () => [...alone, '--ui-port', '0', '--otlp-port', port], /--otlp-port/],
    [
      'a taken port of the shop',
      () => ['--data-dir', join(dir, 'refused'), ...ANY_PORTS, '--shop-port', port],
      /--shop-port/
    ],
    [
      'a directory that cannot be written',
      () => ['--no-demo', ...ANY_PORTS, '--data-dir', join(dir, 'file', 'data')],
      /--data-dir/
    ]
  ])('%s', async (_name, args, message) => {
    const run = start(...args())
    expect(await run.ended()).toBe(2)
    expect(warnings(run)).toEqual([expect.stringMatching(message)])
    await noProcessLeft(run)
  })
})
