/**
 * The tracer's tests on every Node that it supports: the oldest, and the newest of each line, as the
 * registry's platform packages have them.
 *
 *   npm run -s test:nodes                       22.15.0, and the newest 22, 24 and 26
 *   npm run -s test:nodes -- 26 -- register     one of them, and only some of the tests
 *
 * The packages stay in node_modules/.cache, and are asked for again when a newer one may be there.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSIONS = ['22.15.0', '22', '24', '26']
/** Before this Node runs TypeScript only when it is told to; the sources' tests load some of it lazily. */
const STRIPS_TYPES_SINCE = [22, 18]

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, 'node_modules/.cache/spanloom-nodes')
const argv = process.argv.slice(2)
const at = argv.indexOf('--')
const chosen = at < 0 ? argv : argv.slice(0, at)
const filters = at < 0 ? [] : argv.slice(at + 1)

function installed(version: string): string {
  const system = platform() === 'win32' ? 'win' : platform()
  const name = `node-${system}-${arch()}`
  const prefix = join(cache, version)
  mkdirSync(prefix, { recursive: true })
  const spec = `${name}@${version}`
  const { status } = spawnSync('npm', ['install', '--no-save', '--prefix', prefix, spec], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: platform() === 'win32'
  })
  if (status !== 0) throw new Error(`npm could not install ${spec}`)
  const file = platform() === 'win32' ? 'node.exe' : 'bin/node'
  return join(prefix, 'node_modules', name, file)
}

function versionOf(node: string): string {
  return spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim()
}

function stripsTypes(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [sinceMajor = 0, sinceMinor = 0] = STRIPS_TYPES_SINCE
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)
}

const outcomes: string[] = []
let failed = 0
for (const wanted of chosen.length > 0 ? chosen : VERSIONS) {
  const node = installed(wanted)
  const version = versionOf(node)
  console.log(`== Node ${version}`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const flags = stripsTypes(version) ? [] : ['--experimental-strip-types']
  const run = spawnSync(node, [...flags, vitest, 'run', '--project', 'tracer', ...filters], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(flags.length > 0 ? { NODE_OPTIONS: flags.join(' ') } : {}) }
  })
  if (run.status !== 0) failed++
  outcomes.push(`Node ${version}: ${run.status === 0 ? 'passed' : 'FAILED'}`)
}
console.log(outcomes.join('\n'))
process.exitCode = failed === 0 ? 0 : 1
