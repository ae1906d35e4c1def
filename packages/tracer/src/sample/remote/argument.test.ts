import { expect, it } from 'vitest'
import { address, numberFrom, readArgument } from './argument.ts'
import { testParts } from './remote.testkit.ts'

function read(text: string | undefined) {
  const { parts, said } = testParts()
  const values = readArgument<{ endpoint: string; interval: number }>(
    text,
    {
      endpoint: { default: 'http://localhost', parse: address },
      interval: { default: 60, parse: numberFrom(10, 100) }
    },
    parts.notify
  )
  return { ...values, said }
}

const DEFAULTS = { endpoint: 'http://localhost', interval: 60 }

it('is the defaults without a text', () => {
  expect(read(undefined)).toEqual({ ...DEFAULTS, said: [] })
  expect(read(' , ')).toEqual({ ...DEFAULTS, said: [] })
})

it.each([
  ['endpoint=https://h:1/a?b=c,interval=10', { endpoint: 'https://h:1/a?b=c', interval: 10 }],
  [' interval = 100 ', { ...DEFAULTS, interval: 100 }],
  ['interval=10.5', { ...DEFAULTS, interval: 10.5 }]
])('reads %s', (text, values) => {
  expect(read(text)).toEqual({ ...values, said: [] })
})

it.each([
  'interval=9',
  'interval=101',
  'interval=1e1',
  'interval=',
  'endpoint=localhost:80',
  'endpoint=ftp://h',
  'toString=1',
  '0.5'
])('says %s once, and takes the default', (text) => {
  const used = 'the default for it (endpoint=http://localhost,interval=60)'
  const bad = ['CONFIG_BAD_VALUE', 'OTEL_TRACES_SAMPLER_ARG', text, used]
  expect(read(text)).toEqual({ ...DEFAULTS, said: [bad] })
})

it('keeps what is good, and says all that is bad in one warning, without a password', () => {
  const { endpoint, interval, said } = read('a=1,interval=20,endpoint=ftp://me:secret@h,b')
  expect([endpoint, interval]).toEqual(['http://localhost', 20])
  expect(said.map((one) => one[2])).toEqual(['a=1,endpoint=ftp://…@h,b'])
})
