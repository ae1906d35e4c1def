import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'tracer', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] }
})
