/** What `npm start` understands. An unknown option is refused with the nearest known one. */
import { resolve } from 'node:path'

export interface StartOptions {
  readonly demo: boolean
  readonly help: boolean
  readonly shopPort: number
  /** For the collector, which knows their defaults and bounds. */
  readonly collectorArgs: readonly string[]
}

interface OptionText {
  readonly value?: string
  readonly says: string
}

export const START_OPTIONS = {
  '--data-dir': { value: 'DIR', says: 'Where the collector keeps its data. Default: .spanloom' },
  '--host': { value: 'HOST', says: 'Address the collector listens on. Default: 127.0.0.1' },
  '--otlp-port': { value: 'PORT', says: 'Where spans are sent to. Default: 4318' },
  '--ui-port': { value: 'PORT', says: 'Where the UI and the API are. Default: 4319' },
  '--shop-port': { value: 'PORT', says: 'First of the example shop’s seven ports. Default: 4400' },
  '--no-demo': { says: 'The collector alone, without the example shop.' },
  '--help': { says: 'This list.' }
} as const satisfies Record<string, OptionText>

const SHOP_PORT_DEFAULT = 4_400
/** Seven ports from here must exist. */
const SHOP_PORT_MAX = 65_529

/** A mistake on the command line: the message is one line, the exit code 2. */
export class OptionError extends Error {}

/** @throws OptionError */
export function parseStartOptions(argv: readonly string[], cwd: string): StartOptions {
  let demo = true
  let help = false
  let shopPort = SHOP_PORT_DEFAULT
  const collectorArgs = ['--data-dir', resolve(cwd, '.spanloom')]
  for (let index = 0; index < argv.length; index++) {
    const [name, inline] = splitOnce(argv[index]!)
    const option = knownOption(name)
    if (option.value === undefined) {
      if (inline !== undefined) throw new OptionError(`${name} takes no value.`)
      if (name === '--no-demo') demo = false
      else help = true
      continue
    }
    const value = inline ?? argv[++index]
    if (value === undefined || value === '') {
      throw new OptionError(`${name} needs a value: ${name} ${option.value}.`)
    }
    if (name === '--shop-port') shopPort = parseShopPort(value)
    else if (name === '--data-dir') collectorArgs[1] = resolve(cwd, value)
    else collectorArgs.push(name, value)
  }
  return { demo, help, shopPort, collectorArgs }
}

export function helpText(): string {
  const lines = Object.entries(START_OPTIONS).map(([name, { says, ...rest }]) => {
    return `  ${`${name} ${'value' in rest ? rest.value : ''}`.padEnd(20)}${says}`
  })
  return ['npm start -- [options]', '', ...lines].join('\n')
}

function splitOnce(arg: string): [string, string | undefined] {
  const at = arg.indexOf('=')
  return arg.startsWith('--') && at > 0 ? [arg.slice(0, at), arg.slice(at + 1)] : [arg, undefined]
}

function knownOption(name: string): OptionText {
  if (Object.hasOwn(START_OPTIONS, name)) return START_OPTIONS[name as keyof typeof START_OPTIONS]
  throw new OptionError(`Unknown option "${name}". Did you mean "${nearestOption(name)}"?`)
}

function parseShopPort(value: string): number {
  const port = Number(value)
  if (/^\d+$/.test(value) && port <= SHOP_PORT_MAX) return port
  throw new OptionError(`--shop-port must be a number from 0 (any) to ${SHOP_PORT_MAX}.`)
}

function nearestOption(name: string): string {
  const known = Object.keys(START_OPTIONS)
  return known.reduce((best, next) =>
    editDistance(name, next) < editDistance(name, best) ? next : best
  )
}

/** Insertions, deletions and replacements that make one word of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      const replaced = row[j]! + (from[i] === to[j] ? 0 : 1)
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
