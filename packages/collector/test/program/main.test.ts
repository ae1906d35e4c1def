/** The program's edges: what an operator does wrong, and what it says. */
import { match, strictEqual } from 'node:assert'
import { watch } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { type CollectorProcess, runCollector, startCollector } from './collector-process.testkit.ts'

const TEST_MS = 60_000

let directory = ''
let running: CollectorProcess | undefined
let taken: Server | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spanloom-main-'))
})

afterEach(async () => {
  await running?.end('SIGKILL')
  running = undefined
  taken?.close()
  taken = undefined
  await rm(directory, { recursive: true })
})

/** One line on stderr, exit code 2, nothing on stdout. */
async function refused(args: readonly string[], says: RegExp, environment?: NodeJS.ProcessEnv) {
  const { code, stdout, stderr } = await runCollector(args, environment)
  match(stderr, says)
  strictEqual(stderr.trimEnd().split('\n').length, 1, stderr)
  strictEqual(stdout, '')
  strictEqual(code, 2)
}

async function takePort(): Promise<number> {
  taken = createServer()
  await new Promise<void>((resolve) => taken?.listen(0, '127.0.0.1', resolve))
  return (taken.address() as { port: number }).port
}

describe('spanloom says in one line what to do, and ends with 2', () => {
  it('an unknown option', async () => {
    await refused(
      ['--otlp-prot', '1'],
      /^spanloom: Unknown option "--otlp-prot"\. Did you mean "--otlp-port"\?\n$/
    )
  })

  it('an option with control characters, which reach no terminal', async () => {
    await refused(['--\u001b[31m\nx'], /^spanloom: Unknown option "--\\u\{1b\}\[31m\\nx"/)
  })

  it('a bad value, from a flag and from the environment', async () => {
    await refused(
      ['--ui-port', '70000'],
      /^spanloom: --ui-port is "70000", but must be a whole number from 0 to 65535\.\n$/
    )
    await refused([], /^spanloom: SPANLOOM_OTLP_PORT is "x"/, { SPANLOOM_OTLP_PORT: 'x' })
  })

  it('a taken port, either of them', async () => {
    const port = String(await takePort())
    const dataDir = ['--data-dir', directory]
    await refused(
      [...dataDir, '--otlp-port', port, '--ui-port', '0'],
      new RegExp(`^spanloom: .*${port}.*--otlp-port`)
    )
    await refused(
      [...dataDir, '--otlp-port', '0', '--ui-port', port],
      new RegExp(`^spanloom: .*${port}.*--ui-port`)
    )
  }, 60_000)

  it('a data directory that cannot be written', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    await refused(['--data-dir', join(file, 'data')], /^spanloom: The data directory .*--data-dir/)
    if (process.getuid?.() === 0) return
    const locked = join(directory, 'locked')
    await mkdir(locked)
    await chmod(locked, 0o500)
    await refused(['--data-dir', locked], /^spanloom: The data directory .*EACCES.*--data-dir/)
  })

  it(
    'a second collector on the same directory',
    async () => {
      running = await startCollector(directory)
      await refused(
        ['--data-dir', directory, '--otlp-port', '0', '--ui-port', '0'],
        new RegExp(`^spanloom: Another collector \\(process ${running.child.pid}\\).*--data-dir`)
      )
    },
    TEST_MS
  )

  it(
    'a damaged journal, with the file and the byte',
    async () => {
      await mkdir(join(directory, 'journal'))
      await writeFile(join(directory, 'journal', 'journal-id'), 'not an id')
      await writeFile(join(directory, 'journal', `${'0'.repeat(16)}.segment`), '')
      await refused(
        ['--data-dir', directory, '--otlp-port', '0', '--ui-port', '0'],
        /^spanloom: The journal is damaged: journal-id, byte 0/
      )
    },
    TEST_MS
  )
})

describe('spanloom', () => {
  it('prints help with every option, and its version', async () => {
    const help = await runCollector(['--help'])
    strictEqual(help.code, 0)
    match(help.stdout, /--otlp-port <number> {3}\(4318\)\n +SPANLOOM_OTLP_PORT/)
    const version = await runCollector(['--version'])
    match(version.stdout, /^\d+\.\d+\.\d+\n$/)
    strictEqual(version.code, 0)
  })

  it(
    'starts after a crash, though the lock of the dead one is still there',
    async () => {
      running = await startCollector(directory)
      await running.end('SIGKILL')
      running = await startCollector(directory)
      strictEqual(await running.end('SIGTERM'), 0)
    },
    TEST_MS
  )

  it('ends with 0 when it is told to stop while it is still starting', async () => {
    const { code, stderr } = await runCollector(
      ['--data-dir', directory, '--otlp-port', '0', '--ui-port', '0'],
      {},
      // The first file of a start is the lock.
      (child) => {
        const watcher = watch(directory, () => {
          watcher.close()
          child.kill('SIGTERM')
        })
      }
    )
    match(stderr, /^\S+ info stopping reason=SIGTERM\n$/)
    strictEqual(code, 0)
  })
})
