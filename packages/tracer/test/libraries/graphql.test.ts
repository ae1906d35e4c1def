/** graphql 16 by its patched function, 17 by its channel; the executor of graphql-yoga. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARIES_FOLDER, LIBRARY_APPS, librariesAreThere } from './available.ts'

const INTERNAL = 1

describe.skipIf(!librariesAreThere)('graphql', { timeout: 30_000 }, () => {
  const { sink, start } = tracedApps(LIBRARY_APPS)

  it.each([
    ['graphql', 'require'],
    ['graphql', 'import'],
    ['graphql16/index.js', 'require'],
    ['graphql16/index.mjs', 'import']
  ])('%s by %s', async (name, how) => {
    const app = start('graphql.mjs', { args: [name, how] })
    await app.line(/errors 1[\s\S]*done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    const one = sink.only('query One')
    expect(one.kind).toBe(INTERNAL)
    expect(one.parentSpanId).toBe(sink.only('from one').spanId)
    expect(one.attributes).toEqual({
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'One',
      'graphql.document': 'query One { order(id: ?, note: ?) } query Two { broken now }'
    })
    expect(sink.only('in order').parentSpanId).toBe(one.spanId)

    const two = sink.only('query Two')
    expect(two.status).toEqual({ code: 2, message: 'no such order' })
    expect(two.events.map((event) => event.attributes['exception.type'])).toEqual(['RangeError'])
    const plain = sink.only('query')
    expect(plain.attributes['graphql.document']).toBe('{ now }')
    const parents = sink.named('in now').map((s) => s.parentSpanId)
    expect(parents.sort()).toEqual([two.spanId, plain.spanId].sort())

    const below = (name: string) =>
      sink.spans.filter(({ parentSpanId }) => parentSpanId === sink.only(name).spanId)
    const failed = (name: string) =>
      below(name)
        .filter(({ status }) => status.code === 2)
        .map((span) => [
          span.name,
          span.status,
          span.attributes,
          span.events.map(({ attributes }) => attributes['exception.message'])
        ])
    const messages = [
      'Int cannot represent non-integer value: ?',
      'String cannot represent a non string value: ?',
      expect.stringContaining('Cannot query field "ordr" on type "Query".')
    ]
    expect(failed('from refused')).toEqual([
      [
        'graphql.validate',
        { code: 2, message: messages[0] },
        {
          'graphql.document': 'query Refused { order(id: ?, note: ?) ordr }',
          'error.type': 'GraphQLError'
        },
        messages
      ]
    ])
    const found = 'Syntax Error: Expected Name, found String ?.'
    expect(failed('from garbled')).toEqual(
      ['Syntax Error: Unexpected ")".', found].map((message) => [
        'graphql.parse',
        { code: 2, message },
        { 'error.type': 'GraphQLError' },
        [message]
      ])
    )
    const slow = below('from slow')
    expect(slow.map((span) => [span.name, span.status.code])).toEqual([
      ['graphql.parse', 0],
      ['graphql.validate', 0]
    ])
    for (const span of slow) {
      expect(span.attributes['graphql.document']).toMatch(/^query Slow /)
      expect(Number(span.endTimeUnixNano - span.startTimeUnixNano)).toBeGreaterThanOrEqual(
        5e6 - 1e3
      )
    }
    const texts = sink.spans.map(({ events, attributes, status }) => [events, attributes, status])
    expect(JSON.stringify(texts)).not.toContain('secret')
    // A cold step may take as long as a slow one.
    const steps = sink.spans.filter((span) => !span.name.startsWith('graphql.'))
    expect(steps).toHaveLength(10)
  })

  const hasTools =
    existsSync(`${LIBRARIES_FOLDER}node_modules/@graphql-tools/executor`) ||
    process.env.CI === 'true'
  it.skipIf(!hasTools).each([
    ['@graphql-tools/executor', 'require'],
    ['@graphql-tools/executor', 'import'],
    ['@graphql-tools/executor-1', 'require'],
    ['@graphql-tools/executor-1', 'import']
  ])('%s by %s', async (name, how) => {
    const app = start('graphql-tools.mjs', { args: [name, how] })
    await app.line(/order x, errors 1, ticks 1,2/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    const operations = sink.spans.filter(({ name }) => /^(query|subscription)/.test(name))
    expect(operations.map((span) => [span.name, span.status.code])).toEqual([
      ['query One', 0],
      ['query Two', 2]
    ])
    const [one, two] = operations
    expect(sink.only('in order').parentSpanId).toBe(one!.spanId)
    expect(two!.events.map((event) => event.attributes['exception.message'])).toEqual([
      'no such order'
    ])
    expect(app.stderr).not.toContain('spanloom')
  })
})
