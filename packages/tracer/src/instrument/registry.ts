/**
 * What an instrumentation is. Two halves, so that a library that the app does not use costs a Map entry:
 *
 *   Entry             data: what triggers it and what it is for. All of them are in memory (catalogue.ts),
 *                     and bundler plugins, the doctor and the README's table read the same list.
 *   Instrumentation   code: `src/instrument/<entry's code>.ts`, loaded when the first trigger fires.
 *
 * Triggers are a message on one of the entry's channels, a module of the library that the app loads, or the
 * reading of one of the entry's globals.
 */
import type { Instruments } from './instruments.ts'

export interface Entry {
  /** What OTEL_NODE_DISABLED_INSTRUMENTATIONS calls it. */
  readonly name: string
  /** The file in this folder, without its ending, that has the code. */
  readonly code: string
  /** For people: the row of the README's table. */
  readonly library: string
  readonly versions: string
  readonly span: string
  /**
   * Diagnostics channels that the runtime or the library publishes whenever it is used. Channels that
   * are only there with some versions are better subscribed by a patch, when the library is loaded.
   */
  readonly channels?: readonly string[]
  readonly modules?: readonly ModuleTarget[]
  /** Names on `globalThis` where the library looks for somebody to tell. What the app puts there stays. */
  readonly globals?: readonly string[]
}

/** A file of a library whose exports are handed to a patch once it has been evaluated. */
export interface ModuleTarget {
  /**
   * The package as its own package.json names it, whatever it is installed as; `node` for a module of the
   * runtime, whose name is the file.
   */
  readonly packageName: string
  /** Supported major versions. */
  readonly majors: readonly number[]
  /** From the package's folder, with forward slashes: `lib/client.js`. */
  readonly file: string
  /**
   * For a file that is an ES module: the local names that the patch reads or replaces. Any binding
   * that is not `const` can be replaced: functions, classes, `let` and `var`.
   */
  readonly esm?: readonly string[]
  /** Which of the instrumentation's patches gets the exports. */
  readonly patch: string
}

/** Of a `ModuleTarget`: its file, its patch, and where the file is an ES module the local names. */
type TargetRow = readonly [file: string, patch: string, ...esm: readonly string[]]

/** Several files of one package. */
export function filesOf(
  packageName: string,
  majors: readonly number[],
  ...rows: readonly TargetRow[]
): readonly ModuleTarget[] {
  return rows.map(([file, patch, ...esm]) => {
    const target = { packageName, majors, file, patch }
    return esm.length === 0 ? target : { ...target, esm }
  })
}

export interface LoadedModule {
  readonly packageName: string
  readonly version: string
  readonly file: string
  /** How it was met. `cache`: it was there before the tracer. */
  readonly seen: 'require' | 'import' | 'cache' | 'bundle'
}

/**
 * `exports` are the module's: of a CommonJS file `module.exports`, of an ES module an object with the
 * target's local names, where assigning replaces what importers see.
 */
export type Patch = (exports: unknown, instruments: Instruments, module: LoadedModule) => void

export interface Instrumentation {
  /** A handler for each of the entry's channels. */
  readonly channels?: (
    instruments: Instruments
  ) => Readonly<Record<string, (message: unknown) => void>>
  readonly patches?: Readonly<Record<string, Patch>>
  /** A value for each of the entry's globals. */
  readonly globals?: (instruments: Instruments) => Readonly<Record<string, unknown>>
}

/** What has come of an entry in this process: for the start-up line and the doctor. */
export interface Usage {
  readonly entry: Entry
  readonly modules: LoadedModule[]
  /** Versions that were met and are not supported. */
  readonly unsupported: LoadedModule[]
  /** Spans begun, or for those that make none, times that it was of use. */
  count: number
}
