/**
 * What queues the work of many, batches it or shares its result: eight requests at once, the code of each in its
 * own context, and that of work outside of any in none. Of half of these libraries that is the tracer's doing (shared-work.ts), of the others their own.
 */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { runToEnd } from './scenario.ts'

const REQUESTS = 8

describe.skipIf(!librariesAreThere)('work of many requests', { timeout: 60_000 }, () => {
  it.each([
    // By the tracer. Marks: of each request, its own.
    ['async', 'require', 16],
    ['async', 'import', 16],
    ['bluebird', 'require', 11],
    ['bluebird', 'import', 11],
    ['lru-memoizer-2', 'require', 1],
    ['lru-memoizer', 'require', 1],
    ['lru-memoizer', 'import', 1],
    ['q-1', 'require', 4],
    ['q', 'require', 4],
    ['q', 'import', 4],
    ['bottleneck', 'require', 8],
    ['bottleneck', 'import', 8],
    // By themselves.
    ['generic-pool', 'require', 3],
    ['tarn', 'require', 1],
    ['p-queue', 'import', 3],
    ['p-limit', 'import', 3],
    ['dataloader', 'require', 2]
  ])('%s, %s: the code of each is in its own context', async (library, how, marks) => {
    const { spans } = await runToEnd('queues.mjs', [library, how])
    const names = new Map(spans.map(({ spanId, name }) => [spanId, name]))
    const shown = spans
      .filter(({ name }) => /^r\d+ /.test(name))
      .map(({ name, parentSpanId }) => `${name.split(' ')[0]} in ${names.get(parentSpanId)}`)
    const own = Array.from({ length: REQUESTS }, (_, index) =>
      Array<string>(marks).fill(`r${index} in r${index}`)
    )
    const outside = Array<string>(marks).fill(`r${REQUESTS} in undefined`)
    expect(shown.toSorted()).toEqual([...own.flat(), ...outside])
    // Shared by many: of who began it.
    const batches = spans.filter(({ name }) => /^shared /.test(name))
    for (const { name, parentSpanId } of batches) {
      const first = name.split(/[ +]/)[1]
      expect(names.get(parentSpanId)).toBe(first === `r${REQUESTS}` ? undefined : first)
    }
    const isShared = batches.some(({ name }) => name.includes('+'))
    expect(isShared).toBe(['async', 'dataloader'].includes(library))
  })
})
