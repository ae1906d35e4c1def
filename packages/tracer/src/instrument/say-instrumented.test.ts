import { expect, it } from 'vitest'
import type { Notify } from '../notices.ts'
import type { LoadedModule, Usage } from './registry.ts'
import { sayInstrumented } from './say-instrumented.ts'

const entry = { name: 'shop', code: 'shop', library: '`shop`', versions: '2, 3', span: 'none' }
const module = (version: string, seen: LoadedModule['seen']): LoadedModule => ({
  packageName: 'shop',
  version,
  file: 'index.js',
  seen
})

function said(usage: Partial<Usage>, saysAll = true) {
  const notices: unknown[][] = []
  const whole = { entry, modules: [], unsupported: [], count: 0, ...usage }
  const notify = (...notice: unknown[]) => void notices.push(notice)
  sayInstrumented([whole], saysAll, notify as Notify)
  return notices
}

it('what is traced is said with the start-up log, each version once', () => {
  const modules = [module('2.1.0', 'require'), module('2.1.0', 'import')]
  expect(said({ modules })).toEqual([['INSTRUMENTED', 'shop 2.1.0']])
  expect(said({ modules }, false)).toEqual([])
})

it('what came before the tracer, or is not supported, is said in any case', () => {
  expect(said({ modules: [module('2.1.0', 'cache')] }, false)).toEqual([
    ['INSTRUMENT_LATE', 'shop 2.1.0']
  ])
  expect(said({ unsupported: [module('1.0.0', 'require')] }, false)).toEqual([
    ['INSTRUMENT_UNSUPPORTED', 'shop', '1.0.0', '2, 3']
  ])
})
