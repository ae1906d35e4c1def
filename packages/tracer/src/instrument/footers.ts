/**
 * Code that is put at the end of a library's file, so that the tracer is handed what the file defines:
 *
 *   ES module   ;(globalThis[Symbol.for('spanloom.module')] ?? wait)('graphql', '16.11.0', 'execution/execute.mjs',
 *                 { get execute() { return execute }, set execute(v) { execute = v } })
 *   CommonJS    …(…, module.exports)
 *
 * Nothing is parsed and nothing in the file is changed. Assigning a function or a class inside of its
 * own module is seen by everybody who imported it (bindings are live), also within a bundle and after a
 * minifier has renamed it. Where there is no tracer (yet) the modules wait for one on a list: bundlers put
 * what several chunks share before the app's first line, which may be what starts the tracer. The list holds
 * some 50 modules, which live as long as the process anyway. Pure, because it runs in the app, on the loader's
 * thread and in bundlers.
 */
import type { Entry, ModuleTarget } from './registry.ts'

/** The key under which the tracer's receiver of modules hangs on `globalThis`. */
export const MODULE_RECEIVER = 'spanloom.module'

/** Where the arguments of calls wait that came before the receiver. */
export const WAITING_MODULES = 'spanloom.waiting'

/** The package name of node's own modules. */
export const RUNTIME = 'node'

export interface Manifest {
  readonly name: string
  readonly version: string
}

/** Reads the package.json of a folder; undefined when there is none. */
export type ReadManifest = (folder: string) => Manifest | undefined

export interface MatchedFile {
  readonly target: ModuleTarget
  readonly manifest: Manifest
}

const NODE_MODULES = '/node_modules/'

/** Finds the target that a file is, by where it lies in its package and by the package's own name. */
export class TargetFiles {
  readonly #byFile = new Map<string, ModuleTarget[]>()
  readonly #readManifest: ReadManifest
  readonly #manifests = new Map<string, Manifest | undefined>()

  constructor(entries: readonly Entry[], readManifest: ReadManifest) {
    this.#readManifest = readManifest
    for (const { modules = [] } of entries) {
      for (const target of modules) {
        const known = this.#byFile.get(target.file)
        if (known === undefined) this.#byFile.set(target.file, [target])
        else known.push(target)
      }
    }
  }

  /** `path` with forward slashes. Supported major or not: the caller looks. */
  find(path: string): readonly MatchedFile[] {
    const at = path.lastIndexOf(NODE_MODULES)
    if (at < 0) return []
    const start = at + NODE_MODULES.length
    // A scope and a name, or a name: whatever the package is installed as.
    const first = path.indexOf('/', start)
    const end = path[start] === '@' && first >= 0 ? path.indexOf('/', first + 1) : first
    if (end < 0) return []
    const targets = this.#byFile.get(path.slice(end + 1))
    if (targets === undefined) return []
    const manifest = this.#manifest(path.slice(0, end))
    if (manifest === undefined) return []
    return targets
      .filter((target) => target.packageName === manifest.name)
      .map((target) => ({ target, manifest }))
  }

  #manifest(folder: string): Manifest | undefined {
    if (this.#manifests.has(folder)) return this.#manifests.get(folder)
    const manifest = this.#readManifest(folder)
    this.#manifests.set(folder, manifest)
    return manifest
  }
}

export function isSupported({ target, manifest }: MatchedFile): boolean {
  return target.majors.includes(Number.parseInt(manifest.version, 10))
}

/**
 * The text to put at the end of the file, '' when there is nothing to hand over. All matches of a file are
 * of one package: it is handed over once, with the locals that any of them wants.
 */
export function footerOf(matches: readonly MatchedFile[], format: 'esm' | 'commonjs'): string {
  const [first] = matches
  if (first === undefined) return ''
  const locals = [...new Set(matches.flatMap(({ target }) => target.esm ?? []))]
  if (format === 'esm' && locals.length === 0) return ''
  const value = format === 'commonjs' ? 'module.exports' : `{${locals.map(accessors)}}`
  const { manifest, target } = first
  const words = [manifest.name, manifest.version, target.file].map((word) => JSON.stringify(word))
  const receiver = `globalThis[Symbol.for('${MODULE_RECEIVER}')]`
  const wait = `(...m)=>(globalThis[Symbol.for('${WAITING_MODULES}')]??=[]).push(m)`
  return `\n;(${receiver}??(${wait}))(${words},${value});\n`
}

/** Getters, so that a name that this version lacks is an error of the patch and not of the library. */
function accessors(name: string): string {
  return `get ${name}(){return ${name}},set ${name}(v){${name}=v}`
}
