import { expect, it } from 'vitest'
import { createForeignNames } from './foreign-names.ts'
import type { Usage } from './registry.ts'

const usage = (name: string, span: string) => ({ entry: { name, span } }) as Usage

it('doubles of one tick are said in one line, each once', async () => {
  const said: unknown[][] = []
  const usages = [
    usage('pg', 'CLIENT'),
    usage('http-server', 'SERVER'),
    usage('http-client', 'CLIENT'),
    usage('express', 'no span')
  ]
  const names = createForeignNames(usages, (code, ...facts) => void said.push([code, ...facts]))
  const double = (name: string) => names.isDouble(`@opentelemetry/instrumentation-${name}`)
  expect([double('pg'), double('http'), double('express'), double('pg')]).toEqual([
    ...[true, true, false, true]
  ])
  await null
  await new Promise((resolve) => process.nextTick(resolve))
  expect(said).toEqual([
    [
      'INSTRUMENT_TWICE',
      '@opentelemetry/instrumentation-pg, @opentelemetry/instrumentation-http',
      'pg,http-server,http-client'
    ]
  ])
})
