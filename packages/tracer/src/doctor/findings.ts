/**
 * What the doctor learns of a process, as plain data: written by the watched process (observe.ts), read by
 * the command that shows it (report.ts).
 */
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
    | { readonly started: false }
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
}

/** What the tracer lets be known of itself, under `Symbol.for('spanloom.diagnostics')`. */
export interface Diagnostics {
  readonly version: string
  readonly serviceName: string
  readonly startedAtMs: number
  readonly usages: readonly Usage[]
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
  return [...found.values()].sort((one, other) => one.library.localeCompare(other.library))
}

/** Of several files of a package the one that says most. */
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
