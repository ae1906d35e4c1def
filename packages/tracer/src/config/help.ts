/** The texts that are made from the catalogue: `--help` and docs/configuration.md. */
import { GROUPS } from './catalogue.ts'
import { defaultText } from './parse.ts'
import { type Setting, SIGNALS, signalVariable } from './setting.ts'

const WIDTH = 100
const INDENT = '      '

export function helpText(): string {
  const lines = [
    'Usage: spanloom-tracer <command>',
    '',
    '  config    prints the settings that are in effect here, and where each comes from',
    '  --help    this text',
    '',
    'An app starts the tracer with `node --import @spanloom/tracer/register app.js`. Settings are',
    'environment variables; an empty one is unset, a bad value is one warning and the default.',
    'Of several names the first that is set counts.'
  ]
  for (const { title, settings } of GROUPS) {
    lines.push('', title)
    for (const setting of Object.values(settings)) {
      lines.push(`  ${setting.env.join(', ')}`)
      const text = [
        setting.says.replaceAll('`', ''),
        signalsOf(setting, ''),
        defaultOf(setting, '')
      ]
      lines.push(...wrapped(text.filter(Boolean).join(' ')))
    }
  }
  return `${lines.join('\n')}\n`
}

/** Lists and no tables: a table's columns would all change with its longest cell. */
export function configurationPage(): string {
  const parts = [
    '# Settings of the tracer',
    '',
    'Environment variables. An empty one is unset; a bad value is one warning and the default. Of several',
    'names the first that is set counts: OpenTelemetry’s, then Datadog’s. `npx spanloom-tracer config` prints',
    'what is in effect and where it comes from.'
  ]
  for (const { title, settings } of GROUPS) {
    parts.push('', `## ${title}`, '')
    for (const setting of Object.values(settings)) {
      const names = setting.env.map((name) => `\`${name}\``).join(', ')
      const text = [setting.says, signalsOf(setting, '`'), defaultOf(setting, '`')]
      parts.push(`- ${names}: ${text.filter(Boolean).join(' ')}`)
    }
  }
  return `${parts.join('\n')}\n`
}

function signalsOf(setting: Setting, quote: string): string {
  if (setting.perSignal !== true || setting.kind === 'unused') return ''
  const names = SIGNALS.map((signal) => quote + signalVariable(setting.env[0], signal) + quote)
  return `For one signal: ${names.join(', ')}.`
}

function defaultOf(setting: Setting, quote: string): string {
  if (setting.kind === 'unused' || setting.says.includes('Default: ')) return ''
  return `Default: ${quote}${defaultText(setting)}${quote}.`
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = INDENT
  for (const word of text.split(' ')) {
    if (line !== INDENT && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = INDENT
    }
    line += line === INDENT ? word : ` ${word}`
  }
  return [...lines, line]
}
