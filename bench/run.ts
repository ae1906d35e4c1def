/**
 * Runs a bench from the root: `node bench/run.ts overhead/overhead.ts …`. Installs what bench/ pins when it
 * is missing or stale and builds the tracer, both to stderr, so that stdout has what the bench prints.
 * It imports nothing that would have to be installed first.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BENCH = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean }>
  >
}

const [script, ...args] = process.argv.slice(2)
if (script === undefined) throw new Error('Which bench? node bench/run.ts overhead/overhead.ts')
if (!isInstalled()) {
  console.error('Installing what bench/ measures …')
  loudly('npm', ['ci', '--no-audit', '--no-fund'], BENCH)
}
loudly(
  'npx',
  ['turbo', 'run', 'build', '--filter=@spanloom/tracer', '--output-logs=errors-only'],
  ROOT
)

const bench = spawn(process.execPath, [`${BENCH}${script}`, ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => bench.kill(signal))
bench.on('exit', (code) => {
  process.exitCode = code ?? 1
})

/** npm notes what it installed in a lock of its own; of another platform's packages it notes nothing. */
function isInstalled(): boolean {
  const installed = `${BENCH}node_modules/.package-lock.json`
  if (!existsSync(installed)) return false
  const there = (JSON.parse(readFileSync(installed, 'utf8')) as Lock).packages
  const wanted = (JSON.parse(readFileSync(`${BENCH}package-lock.json`, 'utf8')) as Lock).packages
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const known = there[path]
    return path === '' || (known === undefined ? optional === true : known.version === version)
  })
}

function loudly(command: string, commandArgs: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, commandArgs, {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32'
  })
  if (status !== 0) process.exit(status ?? 1)
}
