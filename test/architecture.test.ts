import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { allViolations } from './architecture/rules.ts'
import { parseSource, readSources } from './architecture/source-tree.ts'
import { tidyViolations } from './architecture/tidy.ts'

const sources = readSources(fileURLToPath(new URL('..', import.meta.url)))

/** The real tree with one more file: the rules must name what is wrong with it. */
function planted(path: string, text: string): string[] {
  return allViolations([...sources.filter((file) => file.path !== path), parseSource(path, text)])
}

describe('the architecture', () => {
  it('holds', () => {
    expect(sources.length).toBeGreaterThan(50)
    expect(allViolations(sources)).toEqual([])
  })

  it('is read as one would: files of a room one can hold, headed by what they are for', () => {
    expect(tidyViolations(sources)).toEqual([])
  })
})

describe('a planted violation is found', () => {
  const collector = 'packages/collector/src'

  it.each([
    [
      'a package that imports another it may not',
      'packages/tracer/src/planted.ts',
      "import '@spanloom/collector'",
      'may not import @spanloom/collector'
    ],
    [
      'a package that reaches into another',
      'packages/ui/src/planted.ts',
      "import '../../collector/src/errors.ts'",
      'reaches into packages/collector'
    ],
    [
      'Node in a package that runs anywhere',
      'packages/otlp/src/planted.ts',
      "import 'node:fs'",
      'imports node:fs'
    ],
    [
      'a stage that imports a stage',
      `${collector}/derive/planted.ts`,
      "import type { T } from '../stitch/options.ts'",
      'derive may not import stitch'
    ],
    [
      'a type import counts too',
      `${collector}/model/planted.ts`,
      "export type { CollectorError } from '../store/span-store.ts'",
      'model may not import store'
    ],
    [
      'an adapter known outside the roots',
      `${collector}/query/planted.ts`,
      "import '../store/chdb/engine-host.ts'",
      'knows the adapter'
    ],
    [
      'a clock in a hot stage',
      `${collector}/stitch/planted.ts`,
      'export const now = performance.now()',
      'may not use performance.now'
    ],
    [
      'a file in a hot stage',
      `${collector}/scan/planted.ts`,
      "import { readFileSync } from 'node:fs'\nexport { readFileSync }",
      'may not import node:fs'
    ],
    [
      'the environment outside config',
      'packages/tracer/src/send/planted.ts',
      'export const home = process.env.HOME',
      'uses process.env'
    ],
    [
      'the wall clock outside lib',
      `${collector}/journal/planted.ts`,
      'export const now = Date.now()',
      'uses Date.now'
    ]
  ])('%s', (_name, path, text, message) => {
    expect(planted(path, text).join('\n')).toContain(message)
  })

  it('a cycle of types', () => {
    const a = parseSource(
      `${collector}/model/a.ts`,
      "import type { B } from './b.ts'\nexport type A = B"
    )
    const b = parseSource(
      `${collector}/model/b.ts`,
      "import type { A } from './a.ts'\nexport type B = A"
    )
    expect(allViolations([...sources, a, b]).join('\n')).toContain('import cycle')
  })

  it('a file that outgrew its room, and one without a header', () => {
    const long = parseSource(`${collector}/model/long.ts`, `${'export {}\n'.repeat(401)}`)
    const text = tidyViolations([long]).join('\n')
    expect(text).toContain('401 lines')
    expect(text).toContain('opening comment')
  })
})
