/** How options are declared: `config/` turns these into parsers, `--help` and docs. */
export interface NumberOption {
  readonly type: 'number'
  readonly default: number
  readonly min: number
  readonly max: number
  /** One or two sentences for the operator: what it does, and what it costs. */
  readonly says: string
}

export interface TextOption {
  readonly type: 'text'
  readonly default: string
  readonly maxChars: number
  readonly says: string
}

export type Option = NumberOption | TextOption
export type Options = Readonly<Record<string, Option>>

export type ValuesOf<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends NumberOption ? number : string
}
