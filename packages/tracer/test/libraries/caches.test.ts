/** redis and ioredis against a real Redis. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { names, runToEnd, type Told } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('redis')

describe.skipIf(!runs)('caches', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('redis'))

  /** What both do alike; `first` is the step that sets a key. */
  function expectCommands(told: Told, first: string): void {
    const set = told.under(first)
    expect(names(set)).toEqual(['SET'])
    expect(set[0]!.attributes).toEqual({
      'db.system.name': 'redis',
      'db.namespace': '2',
      'db.operation.name': 'SET',
      'db.query.text': 'SET ? ?',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(told.texts('get')).toEqual(['GET ?'])
    const wrong = told.under('wrong')[0]!
    expect(wrong.attributes).toMatchObject({
      'db.response.status_code': 'WRONGTYPE',
      'error.type': 'WRONGTYPE'
    })
    expect(wrong.status.code).toBe(2)
    const multi = told.under('multi')
    expect(names(multi)).toEqual(['MULTI'])
    expect(multi[0]!.attributes).toMatchObject({
      'db.operation.batch.size': 3,
      'db.query.text': 'SET ? ?; INCR ?; GET ?',
      'server.port': server.port
    })
    const pipeline = told.under('pipeline')
    expect(names(pipeline)).toEqual(['PIPELINE SET'])
    expect(pipeline[0]!.attributes['db.operation.batch.size']).toBe(2)
    expect(names(told.under('left'))).toEqual(['GET'])
    expect(names(told.under('right'))).toEqual(['GET'])
    expect(told.under('selected')[0]!.attributes['db.namespace']).toBe('3')
    const shown = told.spans.map((span) => [span.attributes, span.status])
    expect(JSON.stringify(shown)).not.toMatch(/secret|alice/)
  }

  it.each([
    ['redis4', 'require'],
    ['redis4', 'import'],
    ['redis5', 'require'],
    ['redis', 'require'],
    ['redis', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('redis.mjs', [name, how, `${server.port}`])
    expectCommands(told, 'set')
    expect(told.texts('raw')).toEqual(['HSET ? ? ? ? ?'])

    const unknown = told.under('unknown')[0]!
    expect(unknown.attributes['error.type']).toBe('ERR')
    expect(unknown.status.message).toContain('unknown command')

    const one = told.under('one in multi')[0]!
    expect(one.attributes['db.operation.batch.size']).toBeUndefined()
    const failed = told.under('failed multi')
    expect(failed.map(({ status }) => status.code)).toEqual([2])

    expect(told.texts('many')).toEqual([`MGET${' ?'.repeat(16)} …`])
    if (name !== 'redis4') {
      for (const each of ['one', 'two', 'three']) {
        expect(names(told.under(`pool ${each}`))).toEqual(['GET'])
      }
    }
  })

  it.each([
    ['ioredis5.4', 'require'],
    ['ioredis5', 'require'],
    ['ioredis', 'require'],
    ['ioredis', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('ioredis.mjs', [name, how, `${server.port}`])
    expectCommands(told, 'early')
    expect(told.step('in callback').parentSpanId).toBe(told.step('callback').spanId)
    expect(told.texts('raw')).toEqual(['HSET ? ? ?'])
    expect(told.under('empty')).toEqual([])
    const failed = told.under('failed multi')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['EXECABORT'])
    expect(names(told.under('automatic one'))).toEqual(['GET'])
    expect(names(told.under('automatic two'))).toEqual(['GET'])
    expect(names(told.under('no batch'))).toEqual(['PIPELINE GET'])
    expect(told.under('lost')[0]!.status.code).toBe(2)
    // What the client sent to set its connections up is not of the app's making.
    expect(names(told.spans).filter((each) => /INFO|CLIENT|HELLO|undefined/.test(each))).toEqual([])
  })
})

describe.skipIf(!runs)('clusters', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('redis-cluster'))

  it.each(['redis4', 'redis5', 'redis', 'ioredis5.4', 'ioredis'])('%s', async (name) => {
    const told = await runToEnd('redis-cluster.mjs', [name, `${server.port}`])
    expect(names(told.under('early'))).toEqual(['SET'])
    const get = told.under('get')
    expect(names(get)).toEqual(['GET'])
    expect(get[0]!.attributes['server.port']).toBe(server.port)
    for (const [step, mode] of Object.entries({ pipeline: 'PIPELINE', multi: 'MULTI' })) {
      const batch = told.under(step)
      expect(names(batch)).toEqual([`${mode} GET`])
      expect(batch[0]!.attributes['db.operation.batch.size']).toBe(2)
    }
    const isLibrarys = /CLUSTER|CLIENT|INFO/
    if (name.startsWith('io')) {
      expect(names(told.spans).filter((each) => isLibrarys.test(each))).toEqual([])
    }
  })
})
