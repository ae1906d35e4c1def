import { strictEqual } from 'node:assert'
import { describe, it } from 'vitest'
import { HeadRates } from './head-rates.ts'

/** `seconds` of traffic: twice a second a payload whose spans were sampled with what was last answered. */
function run(target: number, unsampledPerSecond: number, seconds: number, processes = 1): number[] {
  let nowMs = 0
  const rates = new HeadRates(target, () => nowMs)
  const inForce = new Array<number>(processes).fill(1)
  for (let half = 0; half < seconds * 2; half++, nowMs += 500) {
    for (const [index, rate] of inForce.entries()) {
      const spans = Math.round((unsampledPerSecond / processes / 2) * rate)
      const header = rates.answer(`shop=${rate}`, spans)!
      inForce[index] = Number(header.split('=')[1])
    }
  }
  return inForce
}

const near = (actual: number, expected: number, share = 0.05) =>
  strictEqual(Math.abs(actual / expected - 1) < share, true, `${actual}, expected ${expected}`)

describe('head rates', () => {
  it('bring a busy service to the target, and stay there', () => {
    near(run(1_000, 8_000, 6)[0]!, 0.125)
    near(run(1_000, 8_000, 600)[0]!, 0.125)
  })

  it('count all processes of a service together, each with its own rate', () => {
    for (const rate of run(1_000, 8_000, 60, 4)) near(rate, 0.125)
  })

  it('leave a quiet service alone, and go no lower than the least', () => {
    strictEqual(run(1_000, 900, 60)[0], 1)
    strictEqual(run(1, 10_000_000, 30)[0], 0.001)
  })

  it('keep what a tracer has while the average is young, as after a restart', () => {
    let nowMs = 0
    const rates = new HeadRates(1_000, () => nowMs)
    strictEqual(rates.answer('shop=0.125', 500), 'shop=0.125')
    nowMs = 2_999
    strictEqual(rates.answer('shop=0.125', 500), 'shop=0.125')
    nowMs = 3_000
    strictEqual(rates.answer('shop=0.125', 500) === 'shop=0.125', false)
  })

  it('answer nobody who does not ask, or asks in another way', () => {
    const rates = new HeadRates(1, () => 0)
    for (const header of [undefined, '', 'shop', 'shop=', 'shop=2', 'shop=0', 'a b=1', '*=1']) {
      strictEqual(rates.answer(header, 5), undefined)
    }
    strictEqual(rates.answer(['shop=1', 'cart=1'], 5), undefined)
    strictEqual(rates.answer(`${'x'.repeat(256)}=1`, 5) !== undefined, true)
    strictEqual(rates.answer(`${'x'.repeat(257)}=1`, 5), undefined)
    strictEqual(rates.answer('caf%C3%A9%0D%0A=1', 5), 'caf%C3%A9%0D%0A=1')
  })

  it('forget the service that was quiet for longest, beyond a thousand', () => {
    let nowMs = 0
    const rates = new HeadRates(1, () => nowMs)
    for (let index = 0; index < 1_000; index++) rates.answer(`s${index}=1`, 100)
    nowMs = 10_000
    strictEqual(rates.answer('s0=1', 100) === 's0=1', false)
    rates.answer('new=1', 100)
    strictEqual(rates.answer('s1=1', 100), 's1=1')
    strictEqual(rates.answer('s0=1', 100) === 's0=1', false)
  })
})
