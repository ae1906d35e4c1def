import { expect, it } from 'vitest'
import { isPackageManager } from './package-manager.ts'

it.each([
  ['/usr/bin/npm', true],
  ['/usr/lib/node_modules/npm/bin/npm-cli.js', true],
  ['C:\\nodejs\\node_modules\\npm\\bin\\npx-cli.js', true],
  ['/app/.yarn/releases/yarn-4.9.1.cjs', true],
  ['/opt/yarn/bin/yarn.js', true],
  ['/opt/pnpm/bin/pnpm.cjs', true],
  ['/app/npm.js', false],
  ['/app/npm/server.js', false],
  ['/app/my-npm', false],
  [undefined, false]
])('%s is a package manager: %s', (script, expected) => {
  expect(isPackageManager(script)).toBe(expected)
})
