import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'tracer',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real programs and servers are started: on a busy machine of two cores that takes its time.
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
