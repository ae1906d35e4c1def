import { describe, expect, it } from 'vitest'
import { describeCommand, readMongoFailure } from './mongodb-words.ts'

const text = (command: Record<string, unknown>) => describeCommand(command, 'shop')?.statement.text
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

describe('MongoDB commands', () => {
  it('shows names and no values', () => {
    class ObjectId {
      readonly _bsontype = 'ObjectId'
    }
    const filter = {
      _id: new ObjectId(),
      at: new Date(0),
      raw: Buffer.from('secret'),
      expression: /secret/,
      $or: [{ a: 'secret' }, { b: null }],
      map: new Map([['key', 'secret']])
    }
    expect(text({ find: 'orders', filter, lsid: {}, $db: 'shop' })).toBe(
      '{"find":"orders","filter":{"_id":"?","at":"?","raw":"?","expression":"?","$or":[{"a":"?"},{"b":"?"}],"map":{"key":"?"}}}'
    )
    expect(text({ nosuch: 'secret' })).toBe('{"nosuch":"?"}')
    expect(text({ aggregate: 1, pipeline: [{ $match: {} }] })).toBe(
      '{"aggregate":"?","pipeline":[{"$match":{}}]}'
    )
  })

  it('leaves out what the driver sends for itself', () => {
    expect(describeCommand({ hello: 1 }, 'admin')).toBeUndefined()
    expect(describeCommand({}, 'admin')).toBeUndefined()
    expect(describeCommand({ ping: 1 }, 'admin')?.statement.spanName).toBe('ping admin')
  })

  it('counts batches in both ways that drivers have them', () => {
    const deletes = [{ q: { a: 1 } }, { q: { a: 2 } }]
    const asList = describeCommand({ delete: 'orders', deletes }, 'shop')!
    const asSection = describeCommand(
      { delete: 'orders', deletes: { documents: deletes } },
      'shop'
    )!
    expect(asList).toEqual(asSection)
    expect(asList.batchSize).toBe(2)
    expect(asList.statement.text).toBe('{"delete":"orders","deletes":[{"q":{"a":"?"}},…]}')
  })

  it('bounds depth, width and length', () => {
    expect(text({ find: 'o', filter: nested(5) })).not.toContain('…')
    expect(text({ find: 'o', filter: nested(6) })).toContain('"…"')
    const wide = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 1]))
    expect(text({ find: 'o', filter: wide(24) })).not.toContain('…')
    expect(text({ find: 'o', filter: wide(25) })).toContain(',…}')
    const long = Object.fromEntries(
      Array.from({ length: 24 }, (_, index) => [`${index}`.padEnd(100, 'x'), 1])
    )
    expect(text({ find: 'o', filter: long })!.length).toBe(1_025)
    const items = (count: number) => Array.from({ length: count }, () => ({ a: 1 }))
    expect(text({ aggregate: 'o', pipeline: items(8) })).not.toContain('…')
    expect(text({ aggregate: 'o', pipeline: items(9) })).toContain(',…]')
  })

  it('keeps values out of messages', () => {
    const error = { code: 11_000, message: 'E11000 on a index: b dup key: { mail: "secret" }' }
    expect(readMongoFailure(error)).toEqual({
      statusCode: '11000',
      type: '11000',
      message: 'E11000 on a index: b dup key: ?'
    })
    expect(readMongoFailure(Object.assign(new Error('x'), { name: 'MongoNetworkError' }))).toEqual({
      statusCode: undefined,
      type: 'MongoNetworkError',
      message: 'x'
    })
  })
})
