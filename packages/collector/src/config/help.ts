/** The texts that are made from the declared options: `--help`, and the README's table. */
import { NAMED_OPTIONS, type NamedOption, SECTIONS } from './config.ts'

const WIDTH = 100

export function helpText(): string {
  const lines = [
    'Usage: spanloom [options]',
    '',
    'Takes traces over OTLP, stores them, and serves the web UI, the query API and /metrics.',
    'Each option is also read from the environment, by the name below it. Ctrl-C stops it.'
  ]
  for (const section of Object.keys(SECTIONS)) {
    lines.push('', section === 'common' ? 'Options' : `Options of ${section}`)
    for (const named of NAMED_OPTIONS.filter((one) => one.section === section)) {
      lines.push(`  ${named.flag} <${named.option.type}>   (${defaultOf(named)})`)
      lines.push(`      ${named.variable}`)
      lines.push(...wrapped(named.option.says, WIDTH - 6).map((line) => `      ${line}`))
    }
  }
  lines.push('', '  --help, --version', '')
  return lines.join('\n')
}

/** The README holds these lines, and a test compares. */
export function optionsTable(): string {
  const rows = NAMED_OPTIONS.map(
    (named) => `| \`${named.flag}\` | ${defaultOf(named)} | ${named.option.says} |`
  )
  return ['| Option | Default | |', '|---|---|---|', ...rows].join('\n')
}

function defaultOf({ option }: NamedOption): string {
  return option.type === 'text' ? option.default : String(option.default)
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
