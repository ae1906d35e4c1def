import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'otlp', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] }
})
