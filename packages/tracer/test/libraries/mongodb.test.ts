/** mongodb and mongoose against a fake at the wire level, and against FerretDB where it is there. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { startFakeMongodb } from './fake-mongodb.ts'
import { names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const servers = [
  { what: 'a fake', runs: librariesAreThere, start: startFakeMongodb },
  {
    what: 'FerretDB',
    runs: librariesAreThere && hasServer('ferretdb'),
    start: () => startServer('ferretdb')
  }
]

for (const { what, runs, start } of servers) {
  describe.skipIf(!runs)(`on ${what}`, { timeout: 60_000 }, () => {
    const server = sharedServer(start)

    it.each([
      ['mongodb5', 'require'],
      ['mongodb6', 'require'],
      ['mongodb', 'require'],
      ['mongodb', 'import']
    ])('%s, %s', async (name, how) => {
      const told = await runToEnd('mongodb.mjs', [name, how, `${server.port}`])
      const orders = `orders-${name}-${how}`
      const texts = (wanted: string) =>
        told.under(wanted).map(({ attributes }) => String(attributes['db.query.text']))

      const insert = told.under('insert')
      expect(names(insert)).toEqual([`insert ${orders}`])
      expect(insert[0]!.attributes).toEqual({
        'db.system.name': 'mongodb',
        'db.namespace': 'shop',
        'db.operation.name': 'insert',
        'db.collection.name': orders,
        'db.query.text': `{"insert":"${orders}"}`,
        'server.address': '127.0.0.1',
        'server.port': server.port
      })
      expect(told.under('insert many')[0]!.attributes['db.operation.batch.size']).toBe(4)
      expect(texts('find one')).toEqual([
        `{"find":"${orders}","filter":{"mail":"?","age":{"$gt":"?"}}}`
      ])
      const cursor = told.under('cursor')
      expect(names(cursor).slice(0, 3)).toEqual([
        `find ${orders}`,
        `getMore ${orders}`,
        `getMore ${orders}`
      ])
      expect(texts('update')).toEqual([
        `{"update":"${orders}","updates":[{"q":{"mail":"?"},"u":{"$set":{"mail":"?","tags":"?"}}}]}`
      ])
      expect(texts('aggregate')).toEqual([
        `{"aggregate":"${orders}","pipeline":[{"$match":{"mail":{"$in":"?"}}}]}`
      ])
      const bulk = told.under('bulk')
      expect(names(bulk)).toEqual([`delete ${orders}`])
      expect(bulk[0]!.attributes).toMatchObject({
        'db.operation.batch.size': 2,
        'db.query.text': `{"delete":"${orders}","deletes":[{"q":{"age":"?"}},…]}`
      })
      const duplicate = told.under('duplicate')[0]!
      expect(duplicate.attributes).toMatchObject({
        'db.response.status_code': '11000',
        'error.type': '11000'
      })
      expect(duplicate.status.code).toBe(2)
      const unknown = told.under('no such command')[0]!
      expect(unknown.attributes['db.response.status_code']).toBe('59')
      for (const each of ['one', 'two', 'three']) {
        expect(names(told.under(`wait ${each}`))).toEqual([`find ${orders}`])
      }
      expect(names(told.spans).filter((each) => /hello|ismaster|endSessions/i.test(each))).toEqual(
        []
      )
      expect(
        JSON.stringify(told.spans.map((span) => [span.attributes, span.status, span.events]))
      ).not.toMatch(/secret/)
    })

    it.each([
      ['mongoose7', 'require'],
      ['mongoose8', 'require'],
      ['mongoose', 'require'],
      ['mongoose', 'import']
    ])('%s, %s', async (name, how) => {
      const told = await runToEnd('mongoose.mjs', [name, how, `${server.port}`])
      const users = `users-${name}-${how}`
      const expected = {
        'early find': ['find'],
        'early insert': ['insert'],
        'early raw': ['insert'],
        save: ['insert'],
        thenable: ['find'],
        exec: ['find'],
        update: ['update'],
        aggregate: ['aggregate'],
        'wait one': ['find'],
        'wait two': ['find']
      }
      for (const [step, operations] of Object.entries(expected)) {
        const shown = operations.map((operation) => `${operation} ${users}`)
        expect([step, names(told.under(step))]).toEqual([step, shown])
      }
      expect(names(told.under('cursor'))[0]).toBe(`find ${users}`)
      const parent = (wanted: string) =>
        told.spans.filter((span) => span.name === wanted).map((span) => span.parentSpanId)
      const id = (wanted: string) => told.spans.find((span) => span.name === wanted)!.spanId
      expect(parent('in hook')).toEqual([id('early insert'), id('save')])
      expect(new Set(parent('user 6'))).toEqual(new Set([id('cursor')]))
    })
  })
}
