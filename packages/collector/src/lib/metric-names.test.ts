import { deepStrictEqual, strictEqual } from 'node:assert'
import { describe, it } from 'vitest'
import { familyName, labelName } from './metric-names.ts'

describe('metric names', () => {
  const cases = [
    ['nodejs.eventloop.delay.p99', 's', 'gauge', 'nodejs_eventloop_delay_p99_seconds', 'seconds'],
    ['v8js.memory.heap.used', 'By', 'gauge', 'v8js_memory_heap_used_bytes', 'bytes'],
    ['nodejs.eventloop.utilization', '1', 'gauge', 'nodejs_eventloop_utilization_ratio', 'ratio'],
    ['requests', '1', 'counter', 'requests', undefined],
    ['requests_total', '{request}', 'counter', 'requests', undefined],
    ['io', 'By/s', 'gauge', 'io_bytes_per_second', 'bytes_per_second'],
    ['already_seconds', 's', 'histogram', 'already_seconds', 'seconds'],
    ['load', '%', 'gauge', 'load_percent', 'percent'],
    ['things', '{thing}/min', 'gauge', 'things_per_minute', 'per_minute'],
    ['odd', 'furlong', 'gauge', 'odd_furlong', 'furlong'],
    ['2.much  "x"', '', 'gauge', '_2_much_x', undefined],
    ['é', '', 'gauge', '_', undefined]
  ] as const

  it.each(cases)('%s in %s, a %s, is %s', (name, unit, type, wanted, word) => {
    const expected = word === undefined ? { name: wanted } : { name: wanted, unit: word }
    deepStrictEqual(familyName(name, unit, type), expected)
  })

  it('of labels have no colon', () => {
    strictEqual(labelName('v8js.heap:space.name'), 'v8js_heap_space_name')
    strictEqual(labelName('0'), '_0')
  })
})
