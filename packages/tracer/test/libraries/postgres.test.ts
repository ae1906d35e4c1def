/** pg and Prisma on it, against PGlite: PostgreSQL itself, in this process, behind a socket. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, LIBRARY_APPS, librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd } from './scenario.ts'

const INTERNAL = 1

let server: PGLiteSocketServer
let database: PGlite
let port: string

beforeAll(async () => {
  database = await PGlite.create()
  // More than one, because a pool opens the next connection before the failed one is gone.
  const options = { port: 0, host: '127.0.0.1', maxConnections: 8 }
  server = new PGLiteSocketServer({ db: database, ...options })
  await server.start()
  port = server.getServerConn().split(':')[1]!
}, 60_000)
afterAll(async () => {
  await server.stop()
  await database.close()
})

describe.skipIf(!librariesAreThere)('pg', { timeout: 60_000 }, () => {
  it.each([
    ['pg-8.8', 'require'],
    ['pg-8.8', 'import'],
    ['pg', 'require'],
    ['pg', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('pg.mjs', [name, how, port])
    const { step } = told

    const insert = told.under('promise')
    expect(names(insert)).toEqual(['INSERT orders'])
    expect(insert[0]!.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': 'postgres',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'orders',
      'db.query.text': 'INSERT INTO orders VALUES (?)',
      'server.address': '127.0.0.1',
      'server.port': Number(port)
    })
    expect(names(told.under('callback'))).toEqual(['SELECT orders'])
    expect(step('in callback').parentSpanId).toBe(step('callback').spanId)
    const failed = told.under('failure')[0]!
    expect(failed.attributes).toMatchObject({
      'db.response.status_code': '23505',
      'error.type': '23505'
    })
    const bad = told.under('bad value')[0]!
    expect(bad.attributes['db.response.status_code']).toBe('22P02')
    expect(bad.status.message).toBe('invalid input syntax for type integer: ?')
    const wrong = told.under('bad syntax')[0]!
    expect(wrong.status.message).toBe('unterminated quoted string at or near ?')
    expect(names(told.under('by name'))).toEqual(['SELECT orders'])
    expect(names(told.under('cursor'))).toEqual(['SELECT postgres'])
    expect(step('in cursor').parentSpanId).toBe(step('cursor').spanId)
    const background = told.spans.find(({ attributes }) =>
      String(attributes['db.query.text']).includes('background')
    )
    expect(background!.parentSpanId).toBe('')
    for (const each of ['one', 'two', 'three']) {
      expect(names(told.under(`pool ${each}`))).toEqual(['SELECT orders', 'SELECT postgres'])
      expect(step(`got ${each}`).parentSpanId).toBe(step(`pool ${each}`).spanId)
    }
    expectNoValue(told)
  })
})

interface Generated {
  readonly major: 6 | 7
  readonly generator: 'prisma-client' | 'prisma-client-js'
  /** Of the generated client, in the folder of its own. */
  readonly file: string
}

/** `prisma-client` is TypeScript and an ES module, `prisma-client-js` CommonJS with a copy of the runtime. */
const GENERATED: readonly Generated[] = [
  { major: 6, generator: 'prisma-client', file: 'client/client.ts' },
  { major: 6, generator: 'prisma-client-js', file: 'client/index.js' },
  { major: 7, generator: 'prisma-client', file: 'client/client.ts' },
  { major: 7, generator: 'prisma-client-js', file: 'client/index.js' }
]

const schemaOf = ({ major, generator }: Generated) => `
datasource db {
  provider = "postgresql"
  ${major === 6 ? 'url = "postgres://unused"' : ''}
}
generator client {
  provider = "${generator}"
  output   = "./client"
  ${major === 6 ? 'engineType = "client"' : ''}
  ${generator === 'prisma-client' ? 'moduleFormat = "esm"\n  generatedFileExtension = "ts"' : ''}
}
model Order {
  id   Int    @id @default(autoincrement())
  mail String @unique
}
`

const PACKAGES = ['prisma', '@prisma/client', '@prisma/adapter-pg']
const PRISMA_6 = ['prisma6', '@prisma/client-6', '@prisma/adapter-pg-6']

/** Generating needs no engine, but looks for them and would download them. */
const NO_ENGINES = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
  CHECKPOINT_DISABLE: '1'
}

/** A folder in which Prisma's packages are those of this major. */
function folderOf({ major }: Generated): string {
  const folder = mkdtempSync(`${LIBRARIES_FOLDER}.prisma-`)
  mkdirSync(`${folder}/node_modules/@prisma`, { recursive: true })
  const aliases = major === 7 ? PACKAGES : PRISMA_6
  PACKAGES.forEach((name, index) => {
    const installed = `${LIBRARIES_FOLDER}node_modules/${aliases[index]}`
    symlinkSync(installed, `${folder}/node_modules/${name}`)
  })
  // Beside the client, so that it takes the adapter of its own major.
  for (const file of ['prisma.mjs', 'steps.mjs']) {
    copyFileSync(`${LIBRARY_APPS}${file}`, `${folder}/${file}`)
  }
  return folder
}

function generate(folder: string, generated: Generated): void {
  writeFileSync(`${folder}/schema.prisma`, schemaOf(generated))
  const cli = `${folder}/node_modules/prisma/build/index.js`
  execFileSync(process.execPath, [cli, 'generate', '--schema', 'schema.prisma'], {
    cwd: folder,
    env: { ...process.env, ...NO_ENGINES },
    stdio: 'pipe'
  })
}

describe.skipIf(!librariesAreThere)('prisma', { timeout: 60_000 }, () => {
  let folder: string | undefined
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it.each(GENERATED)(
    '$major, $generator: has a span for each operation, and the driver’s queries under it',
    async (generated) => {
      folder = folderOf(generated)
      generate(folder, generated)
      const client = pathToFileURL(`${folder}/${generated.file}`).href
      const told = await runToEnd(`${folder}/prisma.mjs`, [client, port])
      const inner = (parent: SinkSpan) =>
        told.spans
          .filter(({ kind, parentSpanId }) => kind === INTERNAL && parentSpanId === parent.spanId)
          .sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
      const { step } = told

      const [create, ...rest] = inner(step('create'))
      expect(rest).toEqual([])
      expect(create!.name).toBe('Order.create')
      expect(create!.attributes).toEqual({
        'db.operation.name': 'create',
        'db.collection.name': 'Order'
      })
      expect(names(told.under('Order.create'))).toContain('INSERT public.Order')
      expect(names(inner(step('find')))).toEqual(['Order.findMany'])
      expect(names(told.under('Order.findMany'))).toEqual(['SELECT public.Order'])

      const [transaction] = inner(step('transaction'))
      expect(transaction!.name).toBe('$transaction')
      expect(names(inner(transaction!))).toEqual(['Order.update', 'Order.count'])
      expect(names(told.under('$transaction'))).toEqual(
        expect.arrayContaining(['BEGIN postgres', 'COMMIT postgres'])
      )
      const [failed] = inner(step('failure'))
      expect(failed!.status.code).toBe(2)
      expect(failed!.attributes['error.type']).toBe('P2002')
      for (const each of ['one', 'two']) {
        const [found] = inner(step(`overlap ${each}`))
        const below = told.spans.filter((span) => span.parentSpanId === found!.spanId)
        expect(names(below)).toEqual(['SELECT public.Order'])
      }
      expectNoValue(told)
    }
  )
})
