/** Next.js: a small app is built for production and served, which takes half a minute a version. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../child.ts'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'

/** Next starts processes of its own, in folders where the package's name is not known. */
const registerUrl = new URL('../../dist/register.js', import.meta.url).href
const SERVER = 2
const CLIENT = 3

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{"name":"shop","private":true}',
  'next.config.js': 'module.exports = { experimental: { cpus: 1 } }',
  'pages/orders/[id].js': `
    export default function Page({ id }) { return id }
    export async function getServerSideProps({ params }) {
      if (params.id === 'broken') throw new Error('broken')
      return { props: { id: params.id } }
    }`,
  'pages/api/stock/[id].js': `
    export default function handler(request, response) { response.json(request.query) }`,
  'app/layout.js': `
    export default function Layout({ children }) { return <html><body>{children}</body></html> }`,
  'app/shops/[shop]/page.js': `
    export const dynamic = 'force-dynamic'
    export default async function Page({ params }) { return <p>{(await params).shop}</p> }`,
  'app/api/[item]/route.js': `
    export async function GET(_request, { params }) { return Response.json(await params) }`
}

let folder: string
let app: App

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanloom-next-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const { sink, start } = tracedApps()

/** What Next needs of the libraries. Turbopack takes no links that lead out of the app's folder. */
const PACKAGES = [
  '@next/env',
  '@next/swc-linux-x64-gnu',
  '@opentelemetry/api',
  '@swc/helpers',
  'baseline-browser-mapping',
  'caniuse-lite',
  'client-only',
  'nanoid',
  'picocolors',
  'postcss',
  'react',
  'react-dom',
  'scheduler',
  'source-map-js',
  'styled-jsx',
  'tslib'
]

/** Next requires itself by its name, so an alias has to be installed under it. */
async function install(next: string): Promise<void> {
  const to = join(folder, 'node_modules')
  const libraries = `${LIBRARIES_FOLDER}node_modules`
  for (const name of PACKAGES.filter((each) => existsSync(join(libraries, each)))) {
    await copy(join(libraries, name), join(to, name))
  }
  await copy(join(libraries, next), join(to, 'next'))
  const tracer = join(to, '@spanloom/tracer')
  for (const name of ['dist', 'package.json']) {
    await copy(fileURLToPath(new URL(`../../${name}`, import.meta.url)), join(tracer, name))
  }
}

/** As hard links, where they can be. */
async function copy(from: string, to: string): Promise<void> {
  const source = await realpath(from)
  await mkdir(dirname(to), { recursive: true })
  if (spawnSync('cp', ['-al', source, to]).status !== 0) await cp(source, to, { recursive: true })
}

async function build(next: string, args: string[], files = FILES): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
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

async function serve(bin: string, nodeArgs: string[], env = {}): Promise<string> {
  app = start(bin, {
    nodeArgs,
    args: ['start', folder, '-p', '0', '-H', '127.0.0.1'],
    env: {
      NEXT_TELEMETRY_DISABLED: '1',
      NODE_ENV: 'production',
      NO_COLOR: '1',
      ...env
    }
  })
  const [, port] = await app.line(/http:\/\/127\.0\.0\.1:(\d+)/)
  await app.line(/Ready/)
  return `http://127.0.0.1:${port}`
}

function hasServerParent({ parentSpanId }: SinkSpan): boolean {
  return sink.spans.some((each) => each.kind === SERVER && each.spanId === parentSpanId)
}

/** The README's, as they are there. */
function snippets(): readonly string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, part] = readme.split('**Next.js**')
  const found = [...part!.matchAll(/```[jt]s\n([\s\S]*?)```/g)].map(([, code]) => code!)
  return found.slice(0, 2)
}

describe.skipIf(!librariesAreThere)('next', { timeout: 180_000 }, () => {
  it.each([
    ['next', ['--webpack']],
    ['next15', []]
  ])('%s: the server span has the route, and Next’s own spans lie below it', async (next, args) => {
    const bin = await build(next, args)
    const url = await serve(bin, ['--import', registerUrl])
    const routes = {
      '/orders/7': 'GET /orders/[id]',
      '/orders/broken': 'GET /orders/[id]',
      '/shops/x': 'GET /shops/[shop]',
      '/api/3': 'GET /api/[item]',
      '/api/stock/3': 'GET /api/stock/[id]',
      '/none': 'GET'
    }
    for (const [path, name] of Object.entries(routes)) {
      await (await fetch(url + path)).text()
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
  it.each([
    ['next', ['--turbopack']],
    ['next', ['--webpack']],
    ['next15', []]
  ])('%s %s: started by instrumentation.ts, as the README has it', async (next, args) => {
    const [instrumentation, config] = snippets()
    const bin = await build(next, args, {
      ...FILES,
      'instrumentation.js': instrumentation!,
      'next.config.js': config!,
      // Runs at the edge, for which the instrumentation is built as well.
      'middleware.js': `
        export const config = { matcher: '/shops/:path*' }
        export function middleware() {}`,
      'app/api/[item]/route.js': `
        export async function GET(_request, { params }) {
          const { status } = await fetch(process.env.STOCK_URL, { cache: 'no-store' })
          return Response.json({ ...(await params), status })
        }`
    })
    const url = await serve(bin, [], { STOCK_URL: `${sink.url}/stock` })
    // Next 16 starts the tracer while its first request waits: that one has only the span that Next makes.
    await (await fetch(`${url}/orders/1`)).text()
    const first = await sink.span(
      (span) => span.kind === SERVER && span.name === 'GET /orders/[id]' && !hasServerParent(span)
    )
    expect(first.attributes['http.route']).toBe('/orders/[id]')
    const routes = {
      '/orders/7': 'GET /orders/[id]',
      '/orders/broken': 'GET /orders/[id]',
      '/shops/x': 'GET /shops/[shop]',
      '/api/3': 'GET /api/[item]'
    }
    for (const [path, name] of Object.entries(routes)) {
      const response = await fetch(url + path)
      await response.text()
      expect(response.status).toBe(path.endsWith('broken') ? 500 : 200)
      const span = await sink.span((each) => each.attributes['url.path'] === path)
      expect(span.name).toBe(name)
    }
    const server = await sink.span((span) => span.attributes['url.path'] === '/api/3')
    const stock = await sink.span((span) => span.attributes['url.full'] === `${sink.url}/stock`)
    expect(stock.kind).toBe(CLIENT)
    expect(stock.traceId).toBe(server.traceId)
    const broken = await sink.span((span) => span.attributes['url.path'] === '/orders/broken')
    expect(broken.events.map((event) => event.attributes['exception.message'])).toEqual(['broken'])
    expect(app.stderr).not.toContain('[spanloom]')
  })
})
