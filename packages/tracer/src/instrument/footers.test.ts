import { describe, expect, it } from 'vitest'
import { hasSoundHooks, withFooter } from './esm-hook.ts'
import { footerOf, isSupported, TargetFiles } from './footers.ts'
import { watchModules } from './module-hook.ts'
import type { Entry } from './registry.ts'

const ENTRIES: readonly Entry[] = [
  {
    name: 'shop',
    code: 'shop',
    library: '`shop`',
    versions: '2',
    span: 'none',
    modules: [
      { packageName: '@a/shop', majors: [2], file: 'esm/cart.mjs', esm: ['Cart'], patch: 'cart' },
      { packageName: '@a/shop', majors: [2], file: 'lib/cart.js', patch: 'cart' }
    ]
  }
]

function filesOf(version: string, name = '@a/shop') {
  return new TargetFiles(ENTRIES, () => ({ name, version }))
}

describe('target files', () => {
  it.each([
    '/app/node_modules/@a/shop/esm/cart.mjs',
    '/app/node_modules/alias/esm/cart.mjs',
    'C:/app/node_modules/.pnpm/x/node_modules/@a/shop/esm/cart.mjs'
  ])('are found by their place in the package: %s', (path) => {
    const [match] = filesOf('2.1.0').find(path)
    expect(match?.target.patch).toBe('cart')
    expect(isSupported(match!)).toBe(true)
  })

  it.each([
    '/app/esm/cart.mjs',
    '/app/node_modules/@a/shop/dist/esm/cart.mjs',
    '/app/node_modules/@a/shop'
  ])('are not: %s', (path) => {
    expect(filesOf('2.1.0').find(path)).toEqual([])
  })

  it('are those of the package that says so itself, in a supported major', () => {
    expect(filesOf('2.0.0', 'other').find('/node_modules/@a/shop/lib/cart.js')).toEqual([])
    const [old] = filesOf('1.9.9').find('/node_modules/@a/shop/lib/cart.js')
    expect(isSupported(old!)).toBe(false)
  })
})

describe('a footer', () => {
  it('hands over what an ES module defines, and replaces it', async () => {
    const matches = filesOf('2.1.0').find('/node_modules/@a/shop/esm/cart.mjs')
    const source = `export class Cart { size() { return 1 } }\nexport const open = () => new Cart().size()${footerOf(matches, 'esm')}`
    const key = Symbol.for('spanloom.module')
    const seen: unknown[] = []
    ;(globalThis as Record<symbol, unknown>)[key] = (
      name: string,
      version: string,
      file: string,
      exports: { Cart: new () => object }
    ) => {
      seen.push(name, version, file)
      exports.Cart = class extends exports.Cart {
        size() {
          return 2
        }
      }
    }
    const module = await import(`data:text/javascript,${encodeURIComponent(source)}`)
    delete (globalThis as Record<symbol, unknown>)[key]
    expect(seen).toEqual(['@a/shop', '2.1.0', 'esm/cart.mjs'])
    expect(module.open()).toBe(2)
    expect(new module.Cart().size()).toBe(2)
  })

  it('waits for a tracer where there is none yet', async () => {
    const key = Symbol.for('spanloom.waiting')
    const known = globalThis as Record<symbol, unknown>
    const esm = footerOf(filesOf('2.1.0').find('/node_modules/@a/shop/esm/cart.mjs'), 'esm')
    const module = await import(
      `data:text/javascript,${encodeURIComponent(`export class Cart {}${esm}//3`)}`
    )
    const met: unknown[] = []
    const end = watchModules(
      ENTRIES,
      (_entry, target, exports, { version, seen }) => {
        met.push(target.file, version, seen)
        ;(exports as { Cart: unknown }).Cart = Array
      },
      () => {}
    )
    end()
    expect(met).toEqual(['esm/cart.mjs', '2.1.0', 'bundle'])
    expect(new module.Cart()).toEqual([])
    expect(known[key]).toEqual([])
    delete known[key]
  })

  it('harms nobody without a tracer, and says nothing for an ES module without locals', async () => {
    const esm = footerOf(filesOf('2.1.0').find('/node_modules/@a/shop/esm/cart.mjs'), 'esm')
    const module = await import(
      `data:text/javascript,${encodeURIComponent(`export class Cart {}${esm}//2`)}`
    )
    expect(new module.Cart()).toBeInstanceOf(module.Cart)
    expect(footerOf(filesOf('2.1.0').find('/node_modules/@a/shop/lib/cart.js'), 'esm')).toBe('')
  })
})

describe('hooks', () => {
  it.each([
    ['22.15.0', false],
    ['22.22.2', false],
    ['22.22.3', true],
    ['23.11.0', false],
    ['24.11.0', false],
    ['24.11.1', true],
    ['25.1.0', true],
    ['26.0.0', true]
  ])('of node %s are sound: %s', (version, sound) => {
    expect(hasSoundHooks(version)).toBe(sound)
  })

  it('leave alone what is no target', () => {
    const loaded = { format: 'module', source: 'export {}' }
    expect(withFooter('file:///app/index.mjs', loaded)).toBe(loaded)
    expect(withFooter('node:fs', { format: 'builtin' })).toEqual({ format: 'builtin' })
  })
})
