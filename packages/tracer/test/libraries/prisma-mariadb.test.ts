/** Prisma on mariadb, against a real MariaDB. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'
import { names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const SCHEMA = `
datasource db {
  provider = "mysql"
}
generator client {
  provider               = "prisma-client"
  output                 = "./client"
  moduleFormat           = "esm"
  generatedFileExtension = "ts"
}
model Ware {
  id   Int     @id
  mail String? @db.VarChar(80)
}
`
const runs = librariesAreThere && hasServer('mariadb')

describe.skipIf(!runs)('prisma on mariadb', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('mariadb'))
  let directory: string
  beforeAll(async () => {
    // Beside the libraries, which the generated client imports.
    directory = mkdtempSync(`${LIBRARIES_FOLDER}.prisma-`)
    writeFileSync(`${directory}/schema.prisma`, SCHEMA)
    const cli = `${LIBRARIES_FOLDER}node_modules/prisma/build/index.js`
    execFileSync(process.execPath, [cli, 'generate', '--schema', 'schema.prisma'], {
      cwd: directory,
      // Generating needs no engine, but looks for one and would download it.
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        CHECKPOINT_DISABLE: '1'
      },
      stdio: 'pipe'
    })
  }, 120_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('has the driver’s queries under the operation, and no others', async () => {
    const client = pathToFileURL(`${directory}/client/client.ts`).href
    const told = await runToEnd('prisma-mariadb.mjs', [client, `${server.port}`])
    const queries = told.under('Ware.findMany')
    expect(names(queries)).toEqual(['SELECT Ware'])
    expect(queries[0]!.attributes).toMatchObject({
      'db.system.name': 'mariadb',
      'server.port': server.port
    })
  })
})
