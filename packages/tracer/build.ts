/**
 * Writes `dist`. To load an ES module costs node about 0.5 ms and 100 kB whatever its size, so what every
 * start needs is one file, and what is loaded later keeps the name and the folder that its source has:
 *
 *   dist/register.js, index.js, lambda.js   entries ─┐
 *   dist/instrument/express.js, …           lazy  ───┴─→ dist/chunks/start.js, and chunks that some share
 *   dist/send/worker.js, cli.js, …          their own threads and processes: bundles of their own
 *
 * Within a process there is one copy of each module: classes are compared by `instanceof`. Files are
 * asked for by `lib/own-file.ts`, which must lie in `dist/chunks`. tsc writes the declarations beforehand.
 */
import { copyFileSync, globSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InputOptions, type OutputOptions, type RolldownPlugin, rolldown } from 'rolldown'
import { CATALOGUE } from './src/instrument/catalogue.ts'

const ROOT = dirname(fileURLToPath(import.meta.url))
const SOURCE = join(ROOT, 'src')

interface Bundle {
  readonly entries: readonly string[]
  /** The chunk with all that the first entry imports, and not the entry: it starts the tracer. */
  readonly start?: string
}

const code = new Set(CATALOGUE.map((entry) => `instrument/${entry.code}`))

const BUNDLES: readonly Bundle[] = [
  {
    start: 'start',
    entries: [
      'register',
      'index',
      'lambda',
      ...code,
      'batch-exporter',
      'instrument/foreign',
      'propagate/b3',
      'propagate/datadog',
      'propagate/jaeger',
      'propagate/xray',
      'sample/ot-tracestate',
      'sample/remote/jaeger',
      'sample/remote/xray',
      'sample/root-sampler',
      'sample/sdk-sampler',
      'stats/span-stats'
    ]
  },
  { entries: ['send/worker'] },
  { entries: ['instrument/esm-loader'] },
  { entries: ['doctor/observe'] },
  { entries: ['bundle/esbuild', 'bundle/rollup', 'bundle/webpack', 'bundle/webpack-loader'] },
  { entries: ['cli'] }
]

async function write({ entries, start }: Bundle): Promise<void> {
  const input = Object.fromEntries(entries.map((entry) => [entry, join(SOURCE, `${entry}.ts`)]))
  const needed = start === undefined ? new Set() : await importedBy(input[entries[0]!]!)
  const bundle = await rolldown({
    ...inputOptions,
    input,
    plugins: [appsApi, apiVersion, builtins]
  })
  const prefix = entries[0]!.replaceAll('/', '-')
  await bundle.write({
    ...outputOptions,
    chunkFileNames: `chunks/${start === undefined ? `${prefix}-` : ''}[name].js`,
    codeSplitting: {
      groups: [
        { name: 'start', priority: 2, test: (id) => needed.has(id) },
        { name: 'own-file', priority: 1, test: /[\\/]lib[\\/]own-file\.ts$/ }
      ]
    }
  })
  await bundle.close()
}

const inputOptions: InputOptions = {
  platform: 'node',
  external: [/^node:/],
  preserveEntrySignatures: 'strict'
}

/** The API's copy in the bundle goes by the version of the one that is installed. */
const apiVersion: RolldownPlugin = {
  name: 'api-version',
  transform(text, id) {
    const path = id.replaceAll('\\', '/')
    const [, file] = /@opentelemetry\/api\/dist\/(.*)\.mjs$/.exec(path) ?? []
    if (file === 'version') {
      const [version] = /"[\d.]+"/.exec(text) ?? []
      if (version === undefined) throw new Error(`${id} says no version`)
      const own = JSON.stringify(join(SOURCE, 'lib/own-file.ts'))
      return `import { installedApiVersion } from ${own}
export const VERSION = installedApiVersion(${version})`
    }
    return file === 'internal/global-utils'
      ? text.replace(/api\.version !== "[\d.]+"/, 'api.version !== VERSION')
      : undefined
  }
}

/** `import x, { a as b } from "node:fs"`, as rolldown writes it. */
const BUILTIN = /^import (?:(\w+)(?:, | ))?(?:\{ (.*?) \} )?from ("node:[^"]+");$/gm

/**
 * Modules of node without the list of exports that an import makes of them: making it calls every getter,
 * and those of node:http alone load fetch, which is 50 ms and 15 MB.
 */
const builtins: RolldownPlugin = {
  name: 'builtins',
  renderChunk(text) {
    return text.replace(
      BUILTIN,
      (_all, whole: string | undefined, names: string | undefined, id) => {
        const parts = [whole, names && `{ ${names.replaceAll(' as ', ': ')} }`]
        const module = `process.getBuiltinModule(${id})`
        return parts.flatMap((part) => (part ? `const ${part} = ${module};` : [])).join(' ')
      }
    )
  }
}

/** The app's own copy is what a dynamic import asks for. Every other import is of the few lines used. */
const appsApi: RolldownPlugin = {
  name: 'apps-api',
  resolveId(id, _importer, { kind }) {
    const isApps = id === '@opentelemetry/api' && kind === 'dynamic-import'
    return isApps ? { id, external: true } : undefined
  }
}

const outputOptions: OutputOptions = {
  dir: join(ROOT, 'dist'),
  format: 'esm',
  entryFileNames: '[name].js',
  // The sources are not published.
  sourcemap: false,
  comments: false,
  // One character beyond Latin-1 and V8 keeps all of a file's text in two bytes a character: 240 KB of start.js.
  charset: 'ascii'
}

/** The modules that a file imports statically, and what they import; not the file, which has effects. */
async function importedBy(file: string): Promise<ReadonlySet<string>> {
  const modules = new Set<string>()
  const bundle = await rolldown({
    ...inputOptions,
    input: file,
    plugins: [
      appsApi,
      apiVersion,
      {
        name: 'imported',
        buildEnd() {
          const visit = (id: string) => {
            if (modules.has(id)) return
            modules.add(id)
            for (const imported of this.getModuleInfo(id)?.importedIds ?? []) visit(imported)
          }
          for (const id of this.getModuleInfo(file)?.importedIds ?? []) visit(id)
        }
      }
    ]
  })
  await bundle.generate({ format: 'esm' })
  await bundle.close()
  return modules
}

for (const file of globSync('dist/**/*.{js,js.map,cjs}', { cwd: ROOT })) rmSync(join(ROOT, file))
for (const bundle of BUNDLES) await write(bundle)
for (const file of ['register.cjs', 'register.d.cts']) {
  copyFileSync(join(SOURCE, file), join(ROOT, 'dist', file))
}
