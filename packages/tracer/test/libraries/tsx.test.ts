/** tsx replaces how node loads `.js`: what the tracer loads lazily must still be its one copy. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'
import { registerUrl } from './register-url.ts'

it.skipIf(!librariesAreThere)('an app run by tsx has its server and client spans', async () => {
  const sink = await new OtlpSink().listen()
  const tsx = join(LIBRARIES_FOLDER, 'node_modules/tsx/dist/loader.mjs')
  const app = new App(join(LIBRARIES_FOLDER, 'apps/typescript.mts'), {
    nodeArgs: ['--import', registerUrl, '--import', tsx],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
  })
  expect((await app.ended()).code).toBe(0)
  expect(sink.spans.map(({ name }) => name).sort()).toEqual(['GET', 'GET /hello/:name'])
  await sink.close()
})
