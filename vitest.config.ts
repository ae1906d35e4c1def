import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'packages/otlp',
      'packages/tracer',
      'packages/query-api',
      'packages/collector',
      'packages/ui',
      'examples/shop',
      'test/vitest.architecture.config.ts',
      'test/vitest.config.ts'
    ]
  }
})
