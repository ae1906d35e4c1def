/**
 * What the build must hold to: a small first load, and nothing that the collector's security policy
 * would refuse. Builds into a directory of its own, so that it tests the sources as they are.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** JavaScript before the first page stands. Competitors ship ten times that. */
const FIRST_LOAD_GZIP_BYTES_MAX = 150_000
const WHOLE_APP_GZIP_BYTES_MAX = 300_000
const BUILD_MS_MAX = 60_000

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly imports?: readonly string[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = mkdtempSync(join(tmpdir(), 'spanloom-ui-'))
const read = (file: string) => readFileSync(join(outDir, file))
const gzipBytes = (file: string) => gzipSync(read(file), { level: 9 }).length

describe('the built UI', () => {
  beforeAll(async () => {
    await build({ root, logLevel: 'silent', build: { outDir, emptyOutDir: true } })
  }, BUILD_MS_MAX)
  afterAll(() => rmSync(outDir, { recursive: true }))

  it('loads little before the first page stands', () => {
    const manifest: Record<string, Chunk> = JSON.parse(String(read('.vite/manifest.json')))
    const needed = new Set<string>()
    const need = (name: string) => {
      const chunk = manifest[name]
      if (chunk === undefined || needed.has(chunk.file)) return
      needed.add(chunk.file)
      chunk.imports?.forEach(need)
    }
    for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry === true) need(name)
    const scripts = [...needed, 'theme.js']

    expect(needed.size).toBeGreaterThan(0)
    const bytes = scripts.reduce((sum, file) => sum + gzipBytes(file), 0)
    expect(bytes).toBeLessThan(FIRST_LOAD_GZIP_BYTES_MAX)
  })

  it('is small as a whole', () => {
    const scripts = readdirSync(join(outDir, 'assets')).filter((file) => file.endsWith('.js'))

    expect(scripts.length).toBeGreaterThan(1)
    const bytes = scripts.reduce((sum, file) => sum + gzipBytes(join('assets', file)), 0)
    expect(bytes).toBeLessThan(WHOLE_APP_GZIP_BYTES_MAX)
  })

  it('has no inline script or style, and loads nothing from elsewhere', () => {
    const html = String(read('index.html'))

    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/i)
    for (const [, attributes, body] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
      expect(attributes).toMatch(/src="\/[^/]/)
      expect(body).toBe('')
    }
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(address).toMatch(/^\/[^/]/)
    }
    for (const file of readdirSync(join(outDir, 'assets')).filter((name) =>
      name.endsWith('.css')
    )) {
      expect(String(read(join('assets', file)))).not.toMatch(/@import|url\((?!#)/)
    }
  })

  it('never turns text into markup or code', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })

    for (const file of sources.filter((name) => /\.tsx?$/.test(name))) {
      const text = readFileSync(join(root, 'src', file), 'utf8')
      expect(text, file).not.toMatch(
        /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/
      )
    }
  })
})
