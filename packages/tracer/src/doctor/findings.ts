/**
 * What the doctor learns of the app's processes, as plain data: each watched process and thread writes what it
 * has seen to a file of its own (observe.ts), the command puts them together and shows it (report.ts).
 *
 *   npm start ──→ sh ──→ node app.js ──→ cluster workers
 *    1-0.json              2-0.json          3-0.json …     ─→ combined ─→ one screen
 */
import { isPackageManager } from '../config/package-manager.ts'
import type { LoadedModule, Usage } from '../instrument/registry.ts'

export interface LibraryFinding {
  readonly library: string
  readonly version: string
  readonly state: /** Its code was patched and has been of use. */
    | 'used'
    /** Its code was patched, and nothing came through it. */
    | 'silent'
    /** It was loaded before the tracer, and patched afterwards. */
    | 'late'
    /** It was loaded before the tracer, and could not be patched any more. */
    | 'early'
    /** Its version is not supported. */
    | 'unsupported'
    /** Its instrumentation is switched off. */
    | 'off'
  readonly count: number
  /** Supported versions, for people. */
  readonly supported: string
}

export interface Findings {
  readonly nodeVersion: string
  readonly script: string | undefined
  readonly tracer:
    | {
        readonly started: false
        /** It was loaded, and the configuration switches it off. */
        readonly isOff: boolean
      }
    | {
        readonly started: true
        readonly version: string
        readonly serviceName: string
        /** Milliseconds from the start of the process to the start of the tracer. */
        readonly startedAtMs: number
      }
  readonly libraries: readonly LibraryFinding[]
  /** Whether the app is one file with its libraries inside: then no library's file was loaded. */
  readonly isBundled: boolean
  /** How many processes and threads have been seen like this one; 1 as each writes it. */
  readonly processes: number
}

/** What the tracer lets be known of itself, under `Symbol.for('spanloom.diagnostics')`. */
export interface Diagnostics {
  readonly version: string
  readonly serviceName: string
  readonly startedAtMs: number
  readonly usages: readonly Usage[]
  readonly isOff: boolean
}

export const DIAGNOSTICS = 'spanloom.diagnostics'

/** A library's file as the observer saw it being loaded. */
export interface SeenFile {
  readonly packageName: string
  readonly version: string
  /** The entry's name, its supported versions. */
  readonly entry: string
  readonly supported: string
  readonly isSupported: boolean
  readonly beforeTracer: boolean
}

export function librariesOf(
  seen: readonly SeenFile[],
  usages: readonly Usage[] | undefined
): LibraryFinding[] {
  const found = new Map<string, LibraryFinding>()
  for (const file of seen) {
    const key = `${file.packageName}@${file.version}`
    const usage = usages?.find(({ entry }) => entry.name === file.entry)
    const module = usage?.modules.find(
      (each) => each.packageName === file.packageName && each.version === file.version
    )
    const state = stateOf(file, usage, module, usages !== undefined)
    const known = found.get(key)
    if (known !== undefined && WEIGHT[known.state] >= WEIGHT[state]) continue
    found.set(key, {
      library: file.packageName,
      version: file.version,
      state,
      count: usage?.count ?? 0,
      supported: file.supported
    })
  }
  return sorted(found)
}

/**
 * One picture of all processes: that of the one that says most, with the libraries of those that are like it.
 * A package manager that only starts the app says something only when there is nobody else.
 */
export function combined(all: readonly Findings[]): Findings | undefined {
  const apps = all.filter(({ script }) => !isPackageManager(script))
  const seen = apps.length > 0 ? apps : all
  const main = seen.toSorted((one, other) => worth(other) - worth(one))[0]
  if (main === undefined) return undefined
  const alike = seen.filter(({ tracer }) => tracer.started === main.tracer.started)
  const found = new Map<string, LibraryFinding>()
  for (const one of alike.flatMap(({ libraries }) => libraries)) {
    const key = `${one.library}@${one.version}`
    const known = found.get(key)
    const state = known === undefined || WEIGHT[one.state] > WEIGHT[known.state] ? one : known
    found.set(key, { ...state, count: one.count + (known?.count ?? 0) })
  }
  return { ...main, libraries: sorted(found), processes: alike.length }
}

function worth({ tracer, libraries }: Findings): number {
  return 2 * libraries.length + (tracer.started ? 1 : 0)
}

function sorted(found: ReadonlyMap<string, LibraryFinding>): LibraryFinding[] {
  return [...found.values()].sort((one, other) => one.library.localeCompare(other.library))
}

/** Of several files of a package, or several processes, the one that says most. */
const WEIGHT = { off: 0, unsupported: 1, early: 2, late: 3, silent: 4, used: 5 } as const

function stateOf(
  file: SeenFile,
  usage: Usage | undefined,
  module: LoadedModule | undefined,
  isStarted: boolean
): LibraryFinding['state'] {
  if (!file.isSupported) return 'unsupported'
  if (module !== undefined && usage !== undefined) {
    if (module.seen === 'cache') return 'late'
    return usage.count > 0 ? 'used' : 'silent'
  }
  if (file.beforeTracer || !isStarted) return 'early'
  return usage === undefined ? 'off' : 'silent'
}
