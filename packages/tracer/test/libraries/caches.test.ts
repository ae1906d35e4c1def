/** redis and ioredis against a real Redis. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('redis')

describe.skipIf(!runs)('caches', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('redis'))

  it.each([
    ['redis4', 'require'],
    ['redis4', 'import'],
    ['redis5', 'require'],
    ['redis', 'require'],
    ['redis', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('redis.mjs', [name, how, `${server.port}`])

    const [set, ...rest] = told.under('set')
    expect(rest).toEqual([])
    expect(set!.name).toBe('SET')
    expect(set!.attributes).toEqual({
      'db.system.name': 'redis',
      'db.namespace': '2',
      'db.operation.name': 'SET',
      'db.query.text': 'SET ? ?',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(told.under('get')[0]!.attributes['db.query.text']).toBe('GET ?')
    expect(told.under('raw')[0]!.attributes['db.query.text']).toBe('HSET ? ? ? ? ?')

    const wrong = told.under('wrong')[0]!
    expect(wrong.attributes).toMatchObject({
      'db.response.status_code': 'WRONGTYPE',
      'error.type': 'WRONGTYPE'
    })
    expect(wrong.status.code).toBe(2)
    const unknown = told.under('unknown')[0]!
    expect(unknown.attributes['error.type']).toBe('ERR')
    expect(unknown.status.message).toContain('unknown command')

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
    const one = told.under('one in multi')[0]!
    expect(one.attributes['db.operation.batch.size']).toBeUndefined()
    const failed = told.under('failed multi')
    expect(failed.map(({ status }) => status.code)).toEqual([2])

    expect(names(told.under('left'))).toEqual(['GET'])
    expect(names(told.under('right'))).toEqual(['GET'])
    expect(told.under('selected')[0]!.attributes['db.namespace']).toBe('3')
    expect(told.under('many')[0]!.attributes['db.query.text']).toBe(`MGET${' ?'.repeat(16)} …`)
    if (name !== 'redis4') {
      for (const each of ['one', 'two', 'three']) {
        expect(names(told.under(`pool ${each}`))).toEqual(['GET'])
      }
    }
    expect(JSON.stringify(told.spans.map((span) => [span.attributes, span.status]))).not.toMatch(
      /secret|alice/
    )
  })

  it.each([
    ['ioredis5.4', 'require'],
    ['ioredis5', 'require'],
    ['ioredis', 'require'],
    ['ioredis', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('ioredis.mjs', [name, how, `${server.port}`])

    expect(names(told.under('early'))).toEqual(['SET'])
    expect(told.under('early')[0]!.attributes).toEqual({
      'db.system.name': 'redis',
      'db.namespace': '2',
      'db.operation.name': 'SET',
      'db.query.text': 'SET ? ?',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(told.under('get')[0]!.attributes['db.query.text']).toBe('GET ?')
    const step = told.spans.find((span) => span.name === 'callback')!
    expect(told.spans.find((span) => span.name === 'in callback')!.parentSpanId).toBe(step.spanId)
    expect(told.under('raw')[0]!.attributes['db.query.text']).toBe('HSET ? ? ?')
    expect(told.under('wrong')[0]!.attributes).toMatchObject({
      'db.response.status_code': 'WRONGTYPE',
      'error.type': 'WRONGTYPE'
    })
    const multi = told.under('multi')
    expect(names(multi)).toEqual(['MULTI'])
    expect(multi[0]!.attributes).toMatchObject({
      'db.operation.batch.size': 3,
      'db.query.text': 'SET ? ?; INCR ?; GET ?'
    })
    expect(names(told.under('pipeline'))).toEqual(['PIPELINE SET'])
    expect(told.under('empty')).toEqual([])
    const failed = told.under('failed multi')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['EXECABORT'])
    expect(told.under('selected')[0]!.attributes['db.namespace']).toBe('3')
    expect(names(told.under('left'))).toEqual(['GET'])
    expect(names(told.under('right'))).toEqual(['GET'])
    expect(names(told.under('automatic one'))).toEqual(['GET'])
    expect(names(told.under('automatic two'))).toEqual(['GET'])
    expect(names(told.under('no batch'))).toEqual(['PIPELINE GET'])
    expect(told.under('lost')[0]!.status.code).toBe(2)
    // What the client sent to set its connections up is not of the app's making.
    expect(names(told.spans).filter((each) => /INFO|CLIENT|HELLO|undefined/.test(each))).toEqual([])
    expect(JSON.stringify(told.spans.map((span) => [span.attributes, span.status]))).not.toMatch(
      /secret|alice/
    )
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
