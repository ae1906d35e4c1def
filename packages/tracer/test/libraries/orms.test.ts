/**
 * Query builders and ORMs on pools of two connections: each of twelve requests at once has the spans of its own
 * queries below its server span, and the app's code goes on in its own request. Nothing of the tracer's is for
 * these libraries: the drivers are instrumented, and this holds that the context comes to them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { librariesAreThere } from './available.ts'
import { CLIENT, runToEnd, type Told } from './scenario.ts'
import { hasServer, type RunningServer, startServer } from './servers.ts'

const SERVER = 2
const INTERNAL = 1
const REQUESTS = 12

/** What a request asked, in the order of the alphabet: the table's name is left out. */
const READ = 'SELECT'
const ASKED = [READ, READ, READ, 'UPDATE']

describe.each([
  {
    database: 'postgres',
    dialect: 'pg',
    libraries: ['knex', 'objection', 'sequelize', 'typeorm', 'drizzle', 'kysely', 'mikro-orm']
  },
  {
    database: 'mariadb',
    dialect: 'mysql2',
    libraries: ['knex', 'sequelize', 'typeorm', 'drizzle', 'kysely']
  }
] as const)('over $dialect', { timeout: 60_000 }, ({ database, dialect, libraries }) => {
  const runs = librariesAreThere && hasServer(database)
  let server: RunningServer
  beforeAll(async () => {
    if (runs) server = await startServer(database)
  }, 120_000)
  afterAll(() => server?.stop())

  it.skipIf(!runs).each(libraries)(
    '%s: queries are below the request that asked',
    async (library) => {
      const told = await runToEnd('orms.mjs', [library, dialect, `${server.port}`])
      const requests = told.spans.filter(({ kind }) => kind === SERVER)
      expect(requests).toHaveLength(REQUESTS)
      for (const request of requests) expectOwn(told, request, library)
      // A transaction's ends have no table: they tell by their number.
      for (const operation of ['BEGIN', 'START', 'COMMIT']) {
        const counts = requests.map(
          (request) =>
            below(told, request, CLIENT).filter((span) => span.name.startsWith(operation)).length
        )
        expect(new Set(counts).size).toBe(1)
      }
      const ends = below(told, requests[0]!, CLIENT).filter(({ name }) => name.startsWith('COMMIT'))
      expect(ends).toHaveLength(1)
    }
  )
})

function expectOwn(told: Told, request: SinkSpan, library: string): void {
  const table = String(request.attributes['url.path']).slice(1)
  const queries = told.spans.filter(
    ({ attributes, startTimeUnixNano }) =>
      String(attributes['db.collection.name']).split('.').at(-1) === table &&
      startTimeUnixNano >= request.startTimeUnixNano
  )
  const operations = queries.map(({ attributes }) => attributes['db.operation.name']).toSorted()
  // Asked in two more ways; a read more before the write.
  const more = library === 'knex' ? 2 : library === 'mikro-orm' ? 1 : 0
  expect(operations).toEqual([...Array(more).fill(READ), ...ASKED])
  const marks = told.spans.filter(
    ({ kind, name }) => kind === INTERNAL && name.split(' ')[0] === table
  )
  expect(marks.length).toBeGreaterThanOrEqual(3)
  for (const { name, traceId, parentSpanId } of [...queries, ...marks]) {
    expect({ name, traceId, parentSpanId }).toEqual({
      name,
      traceId: request.traceId,
      parentSpanId: request.spanId
    })
  }
}

function below({ spans }: Told, { spanId }: SinkSpan, wanted: number): SinkSpan[] {
  return spans.filter(({ kind, parentSpanId }) => kind === wanted && parentSpanId === spanId)
}
