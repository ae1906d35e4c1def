/** What a start loads: it is paid for by every process, and creeps up unseen. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { App, REGISTER } from './child.ts'
import { tracedApps } from './traced-apps.ts'

/** register.js, chunks/start.js */
const OWN_FILES_MAX = 2

const APP = 'loaded.mjs'

interface Loaded {
  readonly files: readonly string[]
  readonly builtins: readonly string[]
}

async function loadedBy(...nodeArgs: string[]): Promise<Loaded> {
  const app = new App(APP, { nodeArgs: ['--import', './loaded-count.mjs', ...nodeArgs] })
  try {
    const { files, builtins } = JSON.parse((await app.line(/^\{.*\}$/m))[0]) as Loaded
    // What comes later on a timer may be there by now, on a slow machine.
    return {
      files: files.slice(
        0,
        files.findIndex((file) => file.endsWith(APP))
      ),
      builtins
    }
  } finally {
    await app.stop()
  }
}

describe('what --import loads', () => {
  it('is two files, and nothing that asks for the network', async () => {
    const without = await loadedBy()
    const { files, builtins } = await loadedBy('--import', REGISTER)

    const own = files.filter((file) => !without.files.includes(file))
    expect(own.length).toBeGreaterThan(0)
    expect(own.every((file) => file.includes('/tracer/dist/'))).toBe(true)
    expect(own.length, own.join('\n')).toBeLessThanOrEqual(OWN_FILES_MAX)
    const added = builtins.filter((name) => !without.builtins.includes(name))
    expect(added.filter((name) => /^NativeModule (http|https|net|tls|http2)$/.test(name))).toEqual(
      []
    )
    expect(added.filter((name) => name.includes('undici'))).toEqual([])
  })
})

describe('a start after the app has got its tracer', () => {
  const { sink, start } = tracedApps()

  it.each(['late.mjs', 'late.cjs'])('serves that tracer too: %s', async (file) => {
    const app = start(file, { nodeArgs: [] })

    const span = await sink.span('early')
    expect(span.attributes.seen).toBe(true)
    await app.ended()
    expect(app.stderr).toBe('')
  })
})

describe('what is loaded by its name', () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !/\.(test|testkit)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(`${root}${file}`, 'utf8') }))

  it('is built under that name', () => {
    const names = sources.flatMap(({ text }) =>
      [...text.matchAll(/(?:requireOwn|ownFile)(?:<.*>)?\('([^']+)'\)/g)].map((match) => match[1])
    )
    expect(names.length).toBeGreaterThan(5)
    expect(names.filter((name) => !existsSync(`${root}dist/${name}.js`))).toEqual([])
  })

  it('is asked for through lib/own-file.ts, because bundles lie elsewhere than sources', () => {
    const others = sources.filter(({ text }) => text.includes('import.meta'))
    expect(others.map(({ file }) => file.replaceAll('\\', '/'))).toEqual(['src/lib/own-file.ts'])
  })
})
