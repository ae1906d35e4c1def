/** Writes the README's table of libraries from the catalogue: `node packages/tracer/scripts/write-readme.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { CATALOGUE } from '../src/instrument/catalogue.ts'

const file = new URL('../README.md', import.meta.url)
const heading = '## What is instrumented\n'
const text = readFileSync(file, 'utf8')
const start = text.indexOf(heading) + heading.length
const afterTable = text.slice(start).search(/\n[^|\n]/) + start
const rows = [
  '| library | versions | what the span looks like |',
  '| --- | --- | --- |',
  ...CATALOGUE.map(({ library, versions, span }) => `| ${library} | ${versions} | ${span} |`)
]
writeFileSync(file, `${text.slice(0, start)}\n${rows.join('\n')}\n${text.slice(afterTable)}`)
