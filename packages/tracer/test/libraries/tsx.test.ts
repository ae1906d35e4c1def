/**
 * tsx replaces how node loads `.js`: what the tracer loads lazily must still be its one copy, whichever of them
 * comes first and whatever tsx makes of the app.
 */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { App, REGISTER } from '../child.ts'
import { OtlpSink } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'

const FIRST_LINE = `import tracer from '${REGISTER}'\nvoid tracer\n`

const APP = `import express from 'express'

const greeting: string = 'hello'
const app = express()
app.get('/hello/:name', (_request, response) => response.send(greeting))
const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as { port: number }
  await (await fetch(\`http://127.0.0.1:\${port}/hello/you\`)).text()
  server.close()
})
`

/** Under tsx alone, Node 22.15 fails to require express from CommonJS. */
const ENDINGS = process.versions.node.startsWith('22.15.') ? ['mts'] : ['mts', 'cts']

let folder: string

/** As npm would install it: tsx goes by the folder. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanloom-tsx-'))
  const modules = join(folder, 'node_modules')
  const tracer = join(modules, '@spanloom/tracer')
  await mkdir(tracer, { recursive: true })
  for (const name of ['dist', 'package.json']) {
    const from = fileURLToPath(new URL(`../../${name}`, import.meta.url))
    await cp(from, join(tracer, name), { recursive: true })
  }
  for (const name of ['express', 'tsx', '@opentelemetry']) {
    await symlink(`${LIBRARIES_FOLDER}node_modules/${name}`, join(modules, name))
  }
  for (const ending of ENDINGS) {
    await writeFile(join(folder, `app.${ending}`), APP)
    await writeFile(join(folder, `first.${ending}`), FIRST_LINE + APP)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.skipIf(!librariesAreThere)('an app run by tsx', { timeout: 60_000 }, () => {
  it.each([
    ['after the tracer', ['--import', REGISTER, '--import', 'tsx'], 'app'],
    ['before the tracer', ['--import', 'tsx', '--import', REGISTER], 'app'],
    ['with the tracer as the first line', ['--import', 'tsx'], 'first'],
    ['by its own command', ['node_modules/tsx/dist/cli.mjs'], 'first']
  ])('%s has its server and client spans', async (_how, nodeArgs, file) => {
    for (const ending of ENDINGS) {
      const sink = await new OtlpSink().listen()
      const app = new App(`${file}.${ending}`, {
        nodeArgs,
        cwd: folder,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
      })
      const { code } = await app.ended()
      await sink.close()
      expect(`${code} ${app.stderr}`).toBe('0 ')
      const [server, client] = ['GET /hello/:name', 'GET'].map((name) =>
        sink.spans.filter((span) => span.name === name)
      )
      expect(server, ending).toHaveLength(1)
      expect(client, ending).toHaveLength(1)
      expect(server![0]!.parentSpanId).toBe(client![0]!.spanId)
      expect(sink.spans).toHaveLength(2)
    }
  })
})
