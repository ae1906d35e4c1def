import { deepStrictEqual, match, ok, strictEqual, throws } from 'node:assert'
import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { ERROR_CODES } from '../errors.ts'
import { type CollectorConfig, configWith, NAMED_OPTIONS, parseConfig } from './config.ts'
import { optionsTable } from './help.ts'

function parsed(argv: readonly string[], environment: Record<string, string> = {}) {
  const result = parseConfig(argv, environment)
  if ('show' in result) throw new Error('asks for a text')
  return result
}

describe('configuration', () => {
  it('takes flags before the environment before defaults', () => {
    const environment = { SPANLOOM_OTLP_PORT: '1', SPANLOOM_UI_PORT: '2' }
    const { config } = parsed(['--otlp-port', '3', '--host=::1'], environment)
    strictEqual(config.common.otlpPort, 3)
    strictEqual(config.common.uiPort, 2)
    strictEqual(config.common.host, '::1')
    strictEqual(config.common.dataDir, '.spanloom')
    strictEqual(config.receive.bodyBytesMax, 16 * 1_048_576)
  })

  it('names every option once, in each of its forms', () => {
    const flags = NAMED_OPTIONS.map((named) => named.flag)
    const variables = NAMED_OPTIONS.map((named) => named.variable)
    strictEqual(new Set(flags).size, flags.length)
    strictEqual(new Set(variables).size, variables.length)
    ok(flags.includes('--receive-body-bytes-max'))
    ok(variables.includes('SPANLOOM_RECEIVE_BODY_BYTES_MAX'))
  })

  it('takes the smallest and the largest value of each option, and refuses the next', () => {
    for (const { flag, option } of NAMED_OPTIONS) {
      if (option.type === 'text') continue
      const bad = { code: 'CONFIG_BAD_VALUE' }
      throws(() => parsed([flag, String(option.min - 1)]), bad)
      throws(() => parsed([flag, String(option.max + 1)]), bad)
      ok(option.default >= option.min && option.default <= option.max, flag)
    }
    strictEqual(parsed(['--ui-port', '65535']).config.common.uiPort, 65_535)
    strictEqual(parsed(['--ui-port', '0']).config.common.uiPort, 0)
  })

  it('refuses what is no number, no text, no value, and no option', () => {
    for (const value of ['', 'x', '1e3', '-1', '0x10', '1.5', ' 1']) {
      throws(() => parsed(['--ui-port', value]), { code: 'CONFIG_BAD_VALUE' })
    }
    throws(() => parsed(['--ui-port']), { code: 'CONFIG_BAD_VALUE' })
    throws(() => parsed(['--data-dir=']), { code: 'CONFIG_BAD_VALUE' })
    throws(() => parsed(['serve']), { code: 'CONFIG_UNKNOWN_OPTION' })
    throws(() => parsed(['--journal-byte-max', '1']), /"--journal-bytes-max"/)
  })

  it('refuses limits that contradict each other, and says which', () => {
    const quarter = String(4 * 1_048_576)
    throws(
      () => parsed(['--journal-bytes-max', quarter]),
      /--receive-body-bytes-max.*--journal-bytes-max/
    )
    throws(() => parsed(['--receive-inflated-bytes-max', '1024']), /--receive-inflated-bytes-max/)
    throws(() => parsed(['--receive-bodies-bytes-max', '1024']), /--receive-bodies-bytes-max/)
  })

  it('only tells of unknown variables: other programs may have them', () => {
    const { unknownVariables } = parsed([], { SPANLOOM_SOMETHING: '1', OTHER: '2' })
    deepStrictEqual(unknownVariables, ['SPANLOOM_SOMETHING'])
  })

  it('is frozen, and checks what code gives it too', () => {
    const config = configWith({ common: { dataDir: '/tmp/x', otlpPort: 0 } })
    strictEqual(config.common.otlpPort, 0)
    throws(() => {
      ;(config as { common: CollectorConfig['common'] }).common = config.common
    }, TypeError)
    throws(() => configWith({ common: { otlpPort: 70_000 } }), { code: 'CONFIG_BAD_VALUE' })
  })

  it('asks for texts', () => {
    deepStrictEqual(parseConfig(['--help', '--nonsense'], {}), { show: 'help' })
    deepStrictEqual(parseConfig(['-v'], {}), { show: 'version' })
  })
})

/** Without what the formatter does to line up the columns of tables. */
function unaligned(text: string): string {
  return text.replace(/ {2,}/g, ' ').replace(/\| ?-{3,} ?(?=\|)/g, '|---')
}

describe('README.md', () => {
  const readme = unaligned(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))

  it('holds the table that is made from the declared options', () => {
    const table = unaligned(optionsTable())
    ok(readme.includes(table), `the table should be:\n${table}`)
  })

  it('names every error code, and no other', () => {
    const named = [...readme.matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)].map(([, code]) => code)
    deepStrictEqual([...named].sort(), [...ERROR_CODES].sort())
    match(readme, /match on `code`/i)
  })
})
