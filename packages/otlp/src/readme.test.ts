import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ERROR_CODES } from './errors.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

function block(language: string): string {
  return readme.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!
}

it('prints what the README says when its example runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'otlp-readme-'))
  try {
    const index = new URL('./index.ts', import.meta.url).href
    const file = join(folder, 'example.mts')
    await writeFile(file, block('ts').replace('@spanloom/otlp', index))
    const { stdout } = await promisify(execFile)(process.execPath, [file])
    expect(stdout).toBe(block('text'))
  } finally {
    await rm(folder, { recursive: true })
  }
}, 30_000)

it('lists every error code in the README', () => {
  const listed = readme.split('## Errors')[1]!.matchAll(/^\| `(OTLP_[A-Z_]+)`/gm)
  expect([...listed].map(([, code]) => code)).toEqual(ERROR_CODES)
})
