/** docs/moving.md: every name that it gives is one that the tracer has. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { GROUPS } from '../src/config/catalogue.ts'
import { readConfig } from '../src/config/config.ts'
import { variablesOf } from '../src/config/setting.ts'
import { REGISTER } from './child.ts'

const page = readFileSync(new URL('../docs/moving.md', import.meta.url), 'utf8')

/** Before and after, of all tables. */
const rows = page
  .split('\n')
  .filter(
    (line) => line.startsWith('|') && !line.startsWith('| before') && !line.startsWith('| --')
  )
  .map((line) => line.slice(1, -1).split('|'))
  .map(([before, after]) => [before!.trim(), after!.trim()] as const)

function namesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))]
}

/** What an expression is in a process of the built tracer, which is `tracer` in it. */
function told(expression: string): unknown {
  const script = `const { default: tracer } = await import('${REGISTER}')
    const api = await import('@opentelemetry/api')
    console.log(JSON.stringify(${expression}))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('./apps', import.meta.url)),
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
    encoding: 'utf8'
  })
  return JSON.parse(printed)
}

describe('docs/moving.md', { timeout: 30_000 }, () => {
  it('has rows for both', () => {
    expect(rows.length).toBeGreaterThan(15)
    expect(rows.every(([before, after]) => before !== '' && after !== '')).toBe(true)
  })

  const known = GROUPS.filter(({ title }) => title !== 'Without effect').flatMap(({ settings }) =>
    Object.values(settings).flatMap(variablesOf)
  )
  it.each(namesIn(page, /\b((?:OTEL|DD|SPANLOOM)_[A-Z_]*[A-Z])\b(?!\*)/g))(
    '%s is a setting that has an effect',
    (name) => expect(known).toContain(name)
  )

  it('gives values that are understood', () => {
    const given = [...page.matchAll(/`([A-Z_]+)=([^`\s]+)`/g)].map(([, name, value]) => [
      name!,
      value!
    ])
    expect(given.map(([name]) => name)).toEqual([
      'OTEL_PROPAGATORS',
      'DD_TRACE_AGENT_URL',
      'OTEL_TRACES_SAMPLER'
    ])
    const said: unknown[][] = []
    const config = readConfig(
      (code, ...facts) => void said.push([code, ...facts]),
      Object.fromEntries(given)
    )
    const formats = config.propagation.extract
    expect(formats).toEqual(given[0]?.[1]?.split(','))
    expect(config.endpoints.traces.url).toBe('http://host:4318/v1/traces')
    expect(config.sampler).toBe(given[2]?.[1])
    expect(said.map(([code]) => code)).toEqual(['CONFIG_AGENT'])
  })

  it('names members of the started tracer', () => {
    const members = rows.flatMap(([before, after]) =>
      namesIn(after.startsWith('the same') ? before : after, /\btracer\.(\w+)\(/g)
    )
    expect(members).toContain('setUser')
    expect(members).toContain('setSampler')
    const missing = `${JSON.stringify(members)}.filter((name) => typeof tracer[name] !== 'function')`
    expect(told(missing)).toEqual([])
  })

  it('names members of the API and of spans', () => {
    const afters = rows.map(([, after]) => after).join('\n')
    const [api, span] = [/\btrace\.(\w+)\(/g, /\bspan\.(\w+)\(/g].map((each) =>
      namesIn(afters, each)
    )
    expect([api, span]).toEqual([['getActiveSpan'], ['setAttribute']])
    const missing = `tracer.trace('one', (span) => [
      ...${JSON.stringify(api)}.filter((name) => typeof api.trace[name] !== 'function'),
      ...${JSON.stringify(span)}.filter((name) => typeof span[name] !== 'function')
    ])`
    expect(told(missing)).toEqual([])
  })

  it('names entries of the package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const written = namesIn(page, /@spanloom\/tracer\/([a-z]+)/g)
    const listed = rows.flatMap(([, after]) => namesIn(after, /`\/([a-z]+)`/g))
    const entries = [...new Set([...written, ...listed])].sort()
    expect(entries).toEqual(['esbuild', 'register', 'rollup', 'vite', 'webpack'])
    for (const entry of entries) expect(manifest.exports).toHaveProperty([`./${entry}`])
  })
})
