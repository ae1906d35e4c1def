/** memcached and memjs against a real memcached. */
import { describe, expect, it } from 'vitest'
import { hasSoundHooks } from '../../src/instrument/esm-hook.ts'
import { librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd, type Told } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('memcached')

/** Where node tells of a package's only file when it is CommonJS and imported. */
const memjsImports = hasSoundHooks(process.versions.node) ? [['memjs', 'import']] : []

describe.skipIf(!runs)('memcached', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('memcached'))

  /** What both clients do alike. */
  function expectCommands(told: Told): void {
    const { step } = told
    const set = told.under('put')
    expect(names(set)).toEqual(['set'])
    expect(set[0]!.attributes).toEqual({
      'db.system.name': 'memcached',
      'db.operation.name': 'set',
      'db.query.text': 'set ?',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(names(told.under('ask'))).toEqual(['get'])
    expect(step('in callback').parentSpanId).toBe(step('ask').spanId)
    expect(told.under('miss').map(({ status }) => status.code)).toEqual([0])
    expect(told.under('there already').map(({ name, status }) => [name, status.code])).toEqual([
      ['add', 0]
    ])
    expect(told.under('no number').map(({ status }) => status.code)).toEqual([2])
    expectNoValue(told)
  }

  it.each([
    ['memcached', 'require'],
    ['memcached', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('memcached.mjs', [name, how, `${server.port}`])
    expectCommands(told)
    expect(told.under('several').map(({ attributes }) => attributes)).toMatchObject([
      { 'db.operation.name': 'get', 'db.operation.batch.size': 2 }
    ])
    expect(told.under('two servers').map(({ attributes }) => attributes)).toMatchObject([
      { 'server.port': server.port }
    ])
  })

  it.each([['memjs-1.0', 'require'], ['memjs', 'require'], ...memjsImports] as [string, string][])(
    '%s, %s',
    async (name, how) => {
      const told = await runToEnd('memjs.mjs', [name, how, `${server.port}`])
      expectCommands(told)
      expect(told.under('no number')[0]!.attributes).toMatchObject({
        'db.response.status_code': '6',
        'error.type': '6'
      })
      // Tried twice, asked once.
      const refused = told.under('refused')
      expect(refused.map(({ attributes }) => attributes['error.type'])).toEqual(['ECONNREFUSED'])
    }
  )
})
