import { textOf } from '../lib/text.ts'

/** An instrumentation scope: whose spans these are. One object for each name and version. */
export interface Scope {
  /** As the SDK's readers want it. */
  readonly readable: {
    readonly name: string
    readonly version?: string
    readonly schemaUrl?: string
  }
}

export function createScope(name: string, version?: string, schemaUrl?: string): Scope {
  return {
    readable: {
      name: textOf(name),
      ...(version === undefined ? {} : { version: textOf(version) }),
      ...(schemaUrl === undefined ? {} : { schemaUrl: textOf(schemaUrl) })
    }
  }
}
