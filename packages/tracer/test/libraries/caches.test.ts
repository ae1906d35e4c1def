/** redis and ioredis against a real Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { names, runToEnd } from './scenario.ts'
import { hasServer, type RunningServer, startServer } from './servers.ts'

const runs = librariesAreThere && hasServer('redis')

describe.skipIf(!runs)('caches', { timeout: 60_000 }, () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer('redis')
  })
  afterAll(() => server.stop())

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
    expect(told.under('lost')[0]!.status.code).toBe(2)
    // What the client sent to set its connections up is not of the app's making.
    expect(names(told.spans).filter((each) => /INFO|CLIENT|HELLO/.test(each))).toEqual([])
    expect(JSON.stringify(told.spans.map((span) => [span.attributes, span.status]))).not.toMatch(
      /secret|alice/
    )
  })
})
