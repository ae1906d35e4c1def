/** Contrast of the design tokens, in both themes, by the formula of WCAG 2. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const TEXT_CONTRAST_MIN = 4.5
const MARK_CONTRAST_MIN = 3

const sheet = readFileSync(new URL('../src/style/tokens.css', import.meta.url), 'utf8')
const tokens = new Map(
  Array.from(
    sheet.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g),
    ([, name, light, dark]) => [name!, { light: light!, dark: dark! }] as const
  )
)

function contrast(theme: 'light' | 'dark', front: string, back: string): number {
  const [a, b] = [front, back].map((name) => luminance(tokens.get(name)![theme]))
  return (Math.max(a!, b!) + 0.05) / (Math.min(a!, b!) + 0.05)
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

const TEXT = ['text', 'text-soft', 'text-muted', 'bad', 'warn', 'good', 'accent']
const GROUNDS = ['bg', 'surface', 'surface-raised', 'hover']
const PAIRS: readonly (readonly [string, string])[] = [
  ...TEXT.flatMap((front) => GROUNDS.map((back) => [front, back] as const)),
  ...['text', 'text-soft', 'text-muted'].flatMap((front) =>
    ['surface-sunken', 'selected'].map((back) => [front, back] as const)
  ),
  ['on-accent', 'accent'],
  ['bad', 'bad-soft'],
  ['text', 'bad-soft'],
  ['warn', 'warn-soft'],
  ['text', 'warn-soft']
]

describe.each(['light', 'dark'] as const)('tokens in the %s theme', (theme) => {
  it.each(PAIRS)('%s can be read on %s', (front, back) => {
    expect(contrast(theme, front, back)).toBeGreaterThanOrEqual(TEXT_CONTRAST_MIN)
  })

  it.each(Array.from({ length: 10 }, (_, slot) => `svc-${slot}`))('%s can be seen', (mark) => {
    expect(contrast(theme, mark, 'surface')).toBeGreaterThanOrEqual(MARK_CONTRAST_MIN)
  })
})
