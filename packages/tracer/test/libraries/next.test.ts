/** Next.js: a small app is built for production and served, which takes half a minute a version. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAvailable } from './available.ts'
import { registerUrl } from './register-url.ts'

const SERVER = 2

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{"name":"shop","private":true}',
  'next.config.js': 'module.exports = { experimental: { cpus: 1 } }',
  'pages/orders/[id].js': `
    export default function Page({ id }) { return id }
    export async function getServerSideProps({ params }) {
      if (params.id === 'broken') throw new Error('broken')
      return { props: { id: params.id } }
    }`,
  'app/layout.js': `
    export default function Layout({ children }) { return <html><body>{children}</body></html> }`,
  'app/shops/[shop]/page.js': `
    export const dynamic = 'force-dynamic'
    export default async function Page({ params }) { return <p>{(await params).shop}</p> }`,
  'app/api/[item]/route.js': `
    export async function GET(_request, { params }) { return Response.json(await params) }`
}

let sink: OtlpSink
let folder: string
let app: App | undefined

beforeEach(async () => {
  sink = await new OtlpSink().listen()
  folder = await mkdtemp(join(tmpdir(), 'spanloom-next-'))
})
afterEach(async () => {
  await app?.stop()
  app = undefined
  await sink.close()
  await rm(folder, { recursive: true, force: true })
})

/** Next requires itself by its name, so an alias has to be installed under it: as hard links, where they can be. */
async function install(next: string): Promise<void> {
  const from = `${LIBRARIES_FOLDER}node_modules`
  const to = join(folder, 'node_modules')
  await mkdir(to)
  for (const name of await readdir(from)) {
    if (name !== 'next' || next === 'next') await symlink(join(from, name), join(to, name))
  }
  if (next === 'next') return
  const source = await realpath(join(from, next))
  const linked = spawnSync('cp', ['-al', source, join(to, 'next')])
  if (linked.status !== 0) await cp(source, join(to, 'next'), { recursive: true })
}

async function build(next: string, args: string[]): Promise<string> {
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  await install(next)
  const bin = join(folder, 'node_modules/next/dist/bin/next')
  const { NODE_ENV: _, ...env } = process.env
  const building = spawn(process.execPath, [bin, 'build', ...args], {
    cwd: folder,
    env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const [code] = await once(building, 'close')
  expect(code).toBe(0)
  return bin
}

describe.skipIf(!librariesAvailable())('next', { timeout: 180_000 }, () => {
  it.each([
    ['next', ['--webpack']],
    ['next15', []]
  ])('%s: the server span has the route, and Next’s own spans lie below it', async (next, args) => {
    const bin = await build(next, args)
    app = new App(bin, {
      nodeArgs: ['--import', registerUrl],
      args: ['start', folder, '-p', '0', '-H', '127.0.0.1'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        NEXT_TELEMETRY_DISABLED: '1',
        NODE_ENV: 'production',
        NO_COLOR: '1'
      }
    })
    const [, port] = await app.line(/http:\/\/127\.0\.0\.1:(\d+)/)
    await app.line(/Ready/)
    const routes = {
      '/orders/7': 'GET /orders/[id]',
      '/orders/broken': 'GET /orders/[id]',
      '/shops/x': 'GET /shops/[shop]',
      '/api/3': 'GET /api/[item]',
      '/none': 'GET'
    }
    for (const [path, name] of Object.entries(routes)) {
      await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
      const span = await sink.span((each) => each.attributes['url.path'] === path)
      expect(span.name).toBe(name)
      await sink.until(
        () => sink.spans.some((each) => each.parentSpanId === span.spanId && each.kind === SERVER),
        'span of Next'
      )
    }
    const order = await sink.span((span) => span.name === 'getServerSideProps /orders/[id]')
    const server = await sink.span((span) => span.attributes['url.path'] === '/orders/7')
    expect(order.traceId).toBe(server.traceId)
    const broken = await sink.span((span) => span.attributes['url.path'] === '/orders/broken')
    expect(broken.events.map((event) => event.attributes['exception.message'])).toEqual(['broken'])
    expect(app.stderr).not.toContain('[spanloom]')
  })
})
