/**
 * The packages as others get them: packed, installed from the tarballs into an empty project, and
 * run there with nothing of this repository in reach.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createQueryClient, type QueryClient } from '@spanloom/query-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from './lib/collector-process.ts'
import { waitFor } from './lib/wait-for.ts'

const ROOT_DIR = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = ['otlp', 'query-api', 'ui', 'tracer', 'collector']
/** What it makes of itself: one request that it serves and sends. */
const CALL_ITSELF = `
  const url = 'http://127.0.0.1:' + server.address().port + '/hello/world'
  const answer = await (await fetch(url)).text()
  if (answer !== 'hello world') throw new Error(answer)
  server.close()
  server.closeAllConnections()
`
const APPS = {
  'app.cjs': `
    const express = require('express')
    const app = express()
    app.get('/hello/:name', (request, response) => response.send('hello ' + request.params.name))
    const server = app.listen(0, '127.0.0.1', async () => { ${CALL_ITSELF} })
  `,
  'app.mjs': `
    import { once } from 'node:events'
    import express from 'express'
    const app = express()
    app.get('/hello/:name', (request, response) => response.send('hello ' + request.params.name))
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ${CALL_ITSELF}
  `
}
const RUNS: readonly (readonly [string, readonly string[]])[] = [
  ['app.cjs', ['--import', '@spanloom/tracer/register', 'app.cjs']],
  ['app.mjs', ['--import', '@spanloom/tracer/register', 'app.mjs']],
  ['first-line.cjs', ['first-line.cjs']],
  ['first-line.mjs', ['first-line.mjs']]
]

const dir = mkdtempSync(join(tmpdir(), 'spanloom-packages-'))
const projectDir = join(dir, 'project')
/** npm and npx from the machine, node from this run, and none of the repository's own commands. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  NODE_OPTIONS: '',
  PATH: [
    dirname(process.execPath),
    ...(process.env.PATH ?? '')
      .split(delimiter)
      .filter((entry) => !entry.startsWith(ROOT_DIR) && !entry.includes('node_modules'))
  ].join(delimiter)
}
const execFileDone = promisify(execFile)

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await execFileDone(command, [...args], { cwd, env, maxBuffer: 1 << 24 })
  return stdout
}

describe('the packed packages', () => {
  let query: QueryClient
  let otlpUrl = ''
  let uiUrl = ''
  let stopCollector = async (): Promise<void> => undefined
  let collectorOutput = ''

  beforeAll(async () => {
    mkdirSync(projectDir)
    writeFileSync(join(projectDir, 'package.json'), '{ "name": "empty", "private": true }')
    for (const [name, text] of Object.entries(APPS)) writeFileSync(join(projectDir, name), text)
    writeFileSync(
      join(projectDir, 'first-line.cjs'),
      `require('@spanloom/tracer/register')\n${APPS['app.cjs']}`
    )
    writeFileSync(
      join(projectDir, 'first-line.mjs'),
      // What is imported statically is loaded before any line runs; so does the documentation say.
      `import '@spanloom/tracer/register'\nawait import('./app.mjs')`
    )

    const workspaces = PACKAGES.flatMap((name) => ['-w', `packages/${name}`])
    await run('npm', ['pack', ...workspaces, '--pack-destination', dir], ROOT_DIR)
    const tarballs = readdirSync(dir).filter((name) => name.endsWith('.tgz'))
    expect(tarballs).toHaveLength(PACKAGES.length)
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    const paths = tarballs.map((name) => join(dir, name))
    await run('npm', [...install, ...paths, 'express@5'], projectDir)

    const [otlpPort, uiPort] = [await freePort(), await freePort()]
    const ports = ['--otlp-port', String(otlpPort), '--ui-port', String(uiPort)]
    const child = spawn('npx', ['--no-install', 'spanloom', '--data-dir', 'data', ...ports], {
      cwd: projectDir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        collectorOutput += text
      })
    }
    const ended = once(child, 'close')
    stopCollector = async () => {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGTERM')
      await ended
    }
    otlpUrl = `http://127.0.0.1:${otlpPort}`
    uiUrl = `http://127.0.0.1:${uiPort}`
    query = createQueryClient(uiUrl)
    await waitFor('the collector answers', 60_000, () => query('status', {})).catch((error) => {
      throw new Error(`${error.message}\n${collectorOutput}`)
    })
  })

  afterAll(async () => {
    await stopCollector()
    rmSync(dir, { recursive: true, force: true })
  })

  it('hold what is built, and no sources or tests', async () => {
    for (const name of PACKAGES) {
      const [packed] = JSON.parse(
        await run('npm', ['pack', '-w', `packages/${name}`, '--dry-run', '--json'], ROOT_DIR)
      ) as { files: { path: string }[] }[]
      const paths = packed?.files.map(({ path }) => path) ?? []
      expect(paths, name).toContain('README.md')
      expect(
        paths.some((path) => path.startsWith('dist/')),
        name
      ).toBe(true)
      expect(
        paths.filter((path) => /(^|\/)src\/|\.test\./.test(path)),
        name
      ).toEqual([])
    }
  })

  it('serve the UI', async () => {
    const page = await (await fetch(`${uiUrl}/`)).text()
    const script = /<script type="module"[^>]+src="([^"]+\.js)"/.exec(page)?.[1]
    expect(script, page).toBeDefined()
    const answer = await fetch(new URL(script!, uiUrl))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/javascript/)
    expect((await answer.text()).length).toBeGreaterThan(10_000)
  })

  it.each(RUNS)('trace %s', async (service, args) => {
    await execFileDone(process.execPath, [...args], {
      cwd: projectDir,
      env: { ...env, OTEL_SERVICE_NAME: service, OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl }
    })
    const found = await waitFor(`a stored trace of ${service}`, 30_000, async () => {
      const { traces } = await query('traces', { service })
      return traces[0]
    })
    const { spans } = await query('trace', { traceId: found.traceId })
    const server = spans.find(({ kind }) => kind === 'server')
    const client = spans.find(({ kind }) => kind === 'client')
    expect(server?.name).toBe('GET /hello/:name')
    expect(server?.service).toBe(service)
    expect(server?.parentSpanId).toBe(client?.spanId)
  })
})
