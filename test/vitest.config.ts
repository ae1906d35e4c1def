import { defineConfig } from 'vitest/config'

/** Whole programs run here: one file at a time, on two cores, with long limits. */
export default defineConfig({
  test: {
    name: 'promises',
    include: ['**/*.test.ts'],
    exclude: ['architecture.test.ts', '**/node_modules/**'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 120_000
  }
})
