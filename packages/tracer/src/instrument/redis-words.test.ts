import { describe, expect, it } from 'vitest'
import { batchStatement, commandStatement, readRedisFailure, redisEndpoint } from './redis-words.ts'

describe('redis', () => {
  it('shows a command by its name and the number of its arguments', () => {
    expect(commandStatement('get', 1)).toEqual({
      spanName: 'GET',
      operation: 'GET',
      collection: undefined,
      text: 'GET ?'
    })
    expect(commandStatement(Buffer.from('PING'), 0).text).toBe('PING')
    expect(commandStatement('MGET', 16).text).toBe(`MGET${' ?'.repeat(16)}`)
    expect(commandStatement('MGET', 17).text).toBe(`MGET${' ?'.repeat(16)} …`)
    expect(commandStatement('MGET', 5_000).text).toBe(`MGET${' ?'.repeat(16)} …`)
  })

  it('still shows names beyond those that are kept', () => {
    for (let index = 0; index <= 600; index++) commandStatement(`made up ${index}`, 1)
    expect(commandStatement('one more', 1).text).toBe('ONE MORE ?')
    expect(commandStatement('one more', 1).text).toBe('ONE MORE ?')
  })

  it('names a batch by its commands where they are the same', () => {
    const get = commandStatement('GET', 1)
    expect(batchStatement('MULTI', [get, get]).operation).toBe('MULTI GET')
    expect(batchStatement('PIPELINE', [get, commandStatement('SET', 2)])).toMatchObject({
      operation: 'PIPELINE',
      text: 'GET ?; SET ? ?'
    })
    expect(batchStatement('MULTI', Array(16).fill(get)).text).not.toContain('…')
    expect(batchStatement('MULTI', Array(17).fill(get)).text).toMatch(/; …$/)
  })

  it('tells where the server is', () => {
    expect(redisEndpoint({}, undefined)).toEqual({
      system: 'redis',
      namespace: '0',
      host: 'localhost',
      port: 6_379
    })
    expect(redisEndpoint({ path: '/run/redis' }, 4)).toMatchObject({
      namespace: '4',
      host: '/run/redis',
      port: undefined
    })
  })

  it('reads the word of a reply and keeps arguments out of the message', () => {
    class ReplyError extends Error {}
    const message = "ERR unknown command 'x', with args beginning with: 'secret' "
    expect(readRedisFailure(new ReplyError(message))).toEqual({
      statusCode: 'ERR',
      type: 'ERR',
      message: "ERR unknown command 'x'"
    })
    class ClosedError extends Error {}
    expect(readRedisFailure(new ClosedError('CLOSED it is'))).toMatchObject({
      statusCode: undefined,
      type: 'ClosedError'
    })
  })
})
