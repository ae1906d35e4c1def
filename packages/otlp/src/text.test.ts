import { expect, it } from 'vitest'
import { keyTextAt, textAt } from './text.ts'
import { Random, SEED } from './traces.testkit.ts'

it(`keyTextAt says what textAt says, also when keys push each other out, SEED=${SEED}`, () => {
  const random = new Random(SEED)
  const keys = Array.from({ length: 4000 }, () => {
    const text = random.pick(['http.', 'ключ', '\ufeff', '\u0000']) + random.below(10_000)
    return Buffer.from(random.chance(0.2) ? text.padEnd(random.pick([63, 64, 65, 300]), '.') : text)
  })
  for (let round = 0; round < 20_000; round++) {
    const key = random.pick(keys)
    expect(keyTextAt(key, 0, key.length)).toBe(textAt(key, 0, key.length))
  }
  expect(keyTextAt(keys[0]!, 1, 0)).toBe('')
})
