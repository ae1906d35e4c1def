/**
 * The import rules, as functions from sources to sentences: one for each violation, none when all
 * is well. ARCHITECTURE.md says why they are so.
 */
import type { SourceFile } from './source-tree.ts'

/** What each package's sources may import, besides its own files and Node's modules. */
const PACKAGES: Readonly<
  Record<string, { readonly may: readonly string[]; readonly node: boolean }>
> = {
  otlp: { may: [], node: false },
  tracer: {
    may: ['@spanloom/otlp', '@opentelemetry/api'],
    node: true
  },
  'query-api': { may: [], node: false },
  collector: {
    may: ['@spanloom/otlp', '@spanloom/query-api', 'express', 'protobufjs', 'chdb'],
    node: true
  },
  ui: {
    may: ['@spanloom/query-api', 'react', 'react-dom', 'uplot', '@dagrejs/dagre'],
    node: false
  }
}

/** Collector folders, and whom each may import. Its own folder always; `*` is everything. */
const STAGES: Readonly<Record<string, readonly string[]>> = {
  model: [],
  lib: [],
  receive: ['model', 'lib'],
  journal: ['model', 'lib'],
  scan: ['model', 'lib'],
  stitch: ['model', 'lib'],
  derive: ['model', 'lib'],
  sample: ['model', 'lib'],
  store: ['model', 'lib'],
  export: ['model', 'lib'],
  observe: ['model', 'lib'],
  telemetry: ['model', 'lib'],
  query: ['model', 'lib', 'store'],
  serve: ['model', 'lib', 'query'],
  pipeline: ['model', 'lib', 'journal', 'store', 'scan', 'stitch', 'derive', 'sample', 'telemetry'],
  config: ['lib']
}

/** Pure: the same rows give the same answer, on any thread, at any time. */
const HOT_STAGES = ['scan', 'stitch', 'derive', 'sample', 'observe']
const IMPURE = [
  'process.env',
  'Date.now',
  'Math.random',
  'performance.now',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'console.log',
  'console.error'
]

/** Adapters: known to the two composition roots, one for each kind of thread, and to their own kind. */
const ADAPTERS = [
  'receive/otlp-http',
  'journal/local/',
  'store/clickhouse/',
  'store/chdb/',
  'export/prometheus'
]
const COMPOSITION_ROOTS = ['collector.ts', 'main.ts', 'pipeline/shard-worker.ts']

export function packageViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const name = file.path.split('/')[1] ?? ''
    const rule = PACKAGES[name]
    if (rule === undefined) return [`${file.path}: package "${name}" has no rule in rules.ts`]
    return file.imports.flatMap((imported) => {
      if (imported.startsWith(`packages/${name}/`)) return []
      if (imported.startsWith('packages/')) return [`${file.path} reaches into ${imported}`]
      if (imported.startsWith('node:')) {
        return rule.node ? [] : [`${file.path} imports ${imported}, but ${name} runs anywhere`]
      }
      const allowed = rule.may.some((may) => imported === may || imported.startsWith(`${may}/`))
      return allowed || imported.endsWith('.css') ? [] : [`${file.path} may not import ${imported}`]
    })
  })
}

export function cycleViolations(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path)
    if (seenAt >= 0) {
      found.push(`import cycle: ${[...trail.slice(seenAt), path].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    for (const imported of byPath.get(path)?.imports ?? []) {
      if (byPath.has(imported)) walk(imported, [...trail, path])
    }
    done.add(path)
  }
  for (const file of files) walk(file.path, [])
  return found
}

export function stageViolations(files: readonly SourceFile[]): string[] {
  return collectorFiles(files).flatMap(({ file, inside, folder }) => {
    if (folder === undefined || COMPOSITION_ROOTS.includes(inside)) return []
    const may = STAGES[folder]
    if (may === undefined) return [`${file.path}: folder "${folder}" has no rule in rules.ts`]
    return file.imports.flatMap((imported) => {
      const target = insideCollector(imported)
      const targetFolder = target === undefined ? undefined : folderOf(target)
      if (target === undefined || targetFolder === undefined || targetFolder === folder) return []
      if (may.includes(targetFolder)) return []
      // Options are collected where they are parsed, whoever declares them.
      if (folder === 'config' && target.endsWith('/options.ts')) return []
      return [`${file.path}: ${folder} may not import ${target}`]
    })
  })
}

export function adapterViolations(files: readonly SourceFile[]): string[] {
  return collectorFiles(files).flatMap(({ file, inside, folder }) => {
    if (COMPOSITION_ROOTS.includes(inside)) return []
    return file.imports.flatMap((imported) => {
      const target = insideCollector(imported)
      if (target === undefined || folderOf(target) === folder) return []
      return ADAPTERS.some((adapter) => target.startsWith(adapter))
        ? [`${file.path} knows the adapter ${target}; only ${COMPOSITION_ROOTS.join(', ')} may`]
        : []
    })
  })
}

export function purityViolations(files: readonly SourceFile[]): string[] {
  return collectorFiles(files).flatMap(({ file, folder }) => {
    if (folder === undefined || !HOT_STAGES.includes(folder)) return []
    return [
      ...file.imports
        .filter((imported) => imported.startsWith('node:'))
        .map((imported) => `${file.path}: a hot stage may not import ${imported}`),
      ...file.uses
        .filter((use) => IMPURE.includes(use))
        .map((use) => `${file.path}: a hot stage may not use ${use}`)
    ]
  })
}

/** The environment is read where options are parsed; the wall clock and chance come from `lib/`. */
export function ambientViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const [, name, , folder] = file.path.split('/')
    const banned =
      name === 'collector' && folder !== 'lib'
        ? ['process.env', 'Date.now', 'Math.random']
        : ['process.env']
    return file.uses
      .filter((use) => banned.includes(use) && !(use === 'process.env' && folder === 'config'))
      .map(
        (use) =>
          `${file.path} uses ${use}; it belongs in ${use === 'process.env' ? 'config/' : 'lib/'}`
      )
  })
}

export function allViolations(files: readonly SourceFile[]): string[] {
  return [
    ...packageViolations(files),
    ...cycleViolations(files),
    ...stageViolations(files),
    ...adapterViolations(files),
    ...purityViolations(files),
    ...ambientViolations(files)
  ]
}

const COLLECTOR = 'packages/collector/src/'

function insideCollector(path: string): string | undefined {
  return path.startsWith(COLLECTOR) ? path.slice(COLLECTOR.length) : undefined
}

function folderOf(inside: string): string | undefined {
  return inside.includes('/') ? inside.split('/')[0] : undefined
}

function collectorFiles(files: readonly SourceFile[]) {
  return files.flatMap((file) => {
    const inside = insideCollector(file.path)
    return inside === undefined ? [] : [{ file, inside, folder: folderOf(inside) }]
  })
}
