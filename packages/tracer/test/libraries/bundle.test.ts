/** Bundled apps keep their instrumentations: each bundler builds the same app, which is then run traced. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARIES_FOLDER, LIBRARY_APPS, librariesAreThere } from './available.ts'

const entry = `${LIBRARY_APPS}bundled.mjs`
const requireLibrary = createRequire(join(LIBRARIES_FOLDER, 'package.json'))

async function library(name: string) {
  return import(pathToFileURL(requireLibrary.resolve(name)).href)
}

function plugin(name: string) {
  return import(new URL(`../../dist/bundle/${name}.js`, import.meta.url).href)
}

const builders: Record<string, (outdir: string) => Promise<string>> = {
  async 'esbuild, ES module'(outdir) {
    return buildWithEsbuild(outdir, 'esm')
  },
  async 'esbuild, CommonJS'(outdir) {
    return buildWithEsbuild(outdir, 'cjs')
  },
  async vite(outdir) {
    const { build } = await library('vite')
    const { spanloom } = await plugin('rollup')
    await build({
      configFile: false,
      logLevel: 'error',
      root: LIBRARIES_FOLDER,
      plugins: [spanloom()],
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: outdir,
        emptyOutDir: false,
        minify: true,
        rollupOptions: { output: { entryFileNames: 'app.mjs' } }
      }
    })
    return join(outdir, 'app.mjs')
  },
  async webpack(outdir) {
    const { default: webpack } = await library('webpack')
    const { SpanloomPlugin } = await plugin('webpack')
    const compiler = webpack({
      mode: 'production',
      target: 'node',
      entry,
      output: { path: outdir, filename: 'app.cjs' },
      plugins: [new SpanloomPlugin()]
    })
    await new Promise<void>((resolve, reject) => {
      compiler.run((error: Error | null, stats: { hasErrors(): boolean; toString(): string }) => {
        if (error !== null) reject(error)
        else if (stats.hasErrors()) reject(new Error(stats.toString()))
        else resolve()
      })
    })
    return join(outdir, 'app.cjs')
  }
}

async function buildWithEsbuild(outdir: string, format: 'esm' | 'cjs'): Promise<string> {
  const { build } = await library('esbuild')
  const { spanloom } = await plugin('esbuild')
  const outfile = join(outdir, format === 'esm' ? 'app.mjs' : 'app.cjs')
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format,
    plugins: [spanloom()],
    ...(format === 'esm'
      ? {
          banner: {
            js: "import {createRequire} from 'node:module';const require=createRequire(import.meta.url);"
          }
        }
      : {})
  })
  return outfile
}

describe.skipIf(!librariesAreThere)('a bundled app', () => {
  let outdir: string

  beforeEach(async () => {
    outdir = await mkdtemp(join(tmpdir(), 'spanloom-bundle-'))
  })
  afterEach(() => rm(outdir, { recursive: true }))
  const { sink, start } = tracedApps()

  it.each(Object.keys(builders))('%s: the route is known', { timeout: 60_000 }, async (name) => {
    const file = await builders[name]!(outdir)
    const port = await start(file).port()
    const answer = await fetch(`http://127.0.0.1:${port}/hello/you`)
    expect(await answer.text()).toBe('hello you')
    expect((await sink.span('GET /hello/:name')).attributes['http.route']).toBe('/hello/:name')
  })
})
