/** The README's table of libraries is the catalogue; every entry has the code it names. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CATALOGUE } from './catalogue.ts'
import type { Instrumentation } from './registry.ts'

const readme = fileURLToPath(new URL('../../README.md', import.meta.url))

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

describe('the catalogue of instrumentations', () => {
  it('is the table of the README, row by row', () => {
    const text = readFileSync(readme, 'utf8')
    const table = text
      .split('## What is instrumented')[1]!
      .split('\n')
      .filter((line) => line.startsWith('|'))
    const rows = CATALOGUE.map(({ library, versions, span }) => [library, versions, span])
    expect(table.slice(2, 2 + rows.length).map(cells)).toEqual(rows)
  })

  it('names each once', () => {
    const names = CATALOGUE.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(CATALOGUE.map((entry) => [entry.name, entry] as const))(
    '%s: its code has a patch for each of its modules, and a handler for each of its channels',
    async (_name, { code, modules = [], channels = [], globals = [] }) => {
      const file = new URL(`./${code}.ts`, import.meta.url)
      expect(existsSync(file)).toBe(true)
      const { default: instrumentation } = (await import(file.href)) as { default: Instrumentation }
      for (const { patch } of modules) expect(instrumentation.patches).toHaveProperty(patch)
      if (channels.length > 0) expect(instrumentation.channels).toBeTypeOf('function')
      if (globals.length > 0) expect(instrumentation.globals).toBeTypeOf('function')
    }
  )
})
