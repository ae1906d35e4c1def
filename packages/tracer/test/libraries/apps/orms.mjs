/**
 * A server that answers many requests at once over a pool of two connections, with the library that the test
 * names. Each request has a table of its own, so that a query's span tells whose it is.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { end, load, mark } from './steps.mjs'

const [library, dialect, port] = process.argv.slice(2)
const REQUESTS = 12
const tables = Array.from({ length: REQUESTS }, (_, index) => `t${index}`)
const isPg = dialect === 'pg'
const CONNECTIONS = 2
const connection = {
  host: '127.0.0.1',
  port: Number(port),
  user: isPg ? 'postgres' : 'root',
  database: isPg ? 'postgres' : 'shop'
}

async function pgPool() {
  const pg = await load('pg', 'import')
  return new pg.Pool({ ...connection, max: CONNECTIONS })
}

async function mysqlPool() {
  const mysql = await load('mysql2', 'require')
  return mysql.createPool({ ...connection, connectionLimit: CONNECTIONS })
}

/** What `ask` does: reads twice at once, then reads and writes in a transaction. */
const libraries = {
  async knex() {
    const { default: knex } = await import('knex')
    const db = knex({
      client: isPg ? 'pg' : 'mysql2',
      connection,
      pool: { min: 0, max: CONNECTIONS }
    })
    return {
      async ask(table) {
        await Promise.all([db(table).select('id'), db(table).where({ id: 1 }).first()])
        mark(`${table} read`)
        await db.transaction(async (trx) => {
          await trx(table).where({ id: 1 }).update({ mail: 'x' })
          mark(`${table} wrote`)
          await trx(table).select('id')
        })
        // Knex's other ways to answer.
        await new Promise((resolve, reject) => {
          db(table)
            .select('mail')
            .asCallback((error) => {
              mark(`${table} called back`)
              error ? reject(error) : resolve()
            })
        })
        await new Promise((resolve, reject) => {
          const stream = db(table).select('mail').stream()
          stream.on('data', () => mark(`${table} streamed`))
          stream.on('end', resolve)
          stream.on('error', reject)
        })
      },
      close: () => db.destroy()
    }
  },

  async objection() {
    const { default: knex } = await import('knex')
    const { Model } = await import('objection')
    const db = knex({ client: 'pg', connection, pool: { min: 0, max: CONNECTIONS } })
    const models = new Map(
      tables.map((table) => {
        class Row extends Model {
          static tableName = table
        }
        return [table, Row.bindKnex(db)]
      })
    )
    return {
      async ask(table) {
        const Row = models.get(table)
        await Promise.all([Row.query(), Row.query().findById(1)])
        mark(`${table} read`)
        await Row.transaction(async (trx) => {
          await Row.query(trx).findById(1).patch({ mail: 'x' })
          mark(`${table} wrote`)
          await Row.query(trx).select('id')
        })
      },
      close: () => db.destroy()
    }
  },

  async sequelize() {
    const { DataTypes, Sequelize } = await import('sequelize')
    const db = new Sequelize({
      ...connection,
      username: connection.user,
      dialect: isPg ? 'postgres' : 'mysql',
      logging: false,
      pool: { max: CONNECTIONS }
    })
    const models = new Map(
      tables.map((table) => [
        table,
        db.define(
          table,
          { id: { type: DataTypes.INTEGER, primaryKey: true }, mail: DataTypes.STRING },
          { tableName: table, timestamps: false }
        )
      ])
    )
    return {
      async ask(table) {
        const Row = models.get(table)
        await Promise.all([Row.findAll(), Row.findByPk(1)])
        mark(`${table} read`)
        await db.transaction(async (transaction) => {
          await Row.update({ mail: 'x' }, { where: { id: 1 }, transaction })
          mark(`${table} wrote`)
          await Row.findAll({ transaction })
        })
      },
      close: () => db.close()
    }
  },

  async typeorm() {
    const { DataSource, EntitySchema } = await import('typeorm')
    const entities = tables.map(
      (name) =>
        new EntitySchema({
          name,
          tableName: name,
          columns: {
            id: { type: 'int', primary: true },
            mail: { type: 'varchar', nullable: true }
          }
        })
    )
    const db = new DataSource({
      ...connection,
      username: connection.user,
      type: isPg ? 'postgres' : 'mysql',
      entities,
      extra: isPg ? { max: CONNECTIONS } : { connectionLimit: CONNECTIONS }
    })
    await db.initialize()
    return {
      async ask(table) {
        const rows = db.getRepository(table)
        await Promise.all([rows.find(), rows.findOneBy({ id: 1 })])
        mark(`${table} read`)
        await db.transaction(async (manager) => {
          await manager.update(table, { id: 1 }, { mail: 'x' })
          mark(`${table} wrote`)
          await manager.find(table)
        })
      },
      close: () => db.destroy()
    }
  },

  async drizzle() {
    const { eq } = await import('drizzle-orm')
    const pool = isPg ? await pgPool() : (await mysqlPool()).promise()
    const { drizzle } = await import(`drizzle-orm/${isPg ? 'node-postgres' : 'mysql2'}`)
    const core = await import(`drizzle-orm/${isPg ? 'pg' : 'mysql'}-core`)
    const makeTable = isPg ? core.pgTable : core.mysqlTable
    const integer = isPg ? core.integer : core.int
    const schemas = new Map(
      tables.map((name) => [
        name,
        makeTable(name, { id: integer(), mail: core.varchar({ length: 80 }) })
      ])
    )
    const db = drizzle(pool)
    return {
      async ask(name) {
        const table = schemas.get(name)
        await Promise.all([db.select().from(table), db.select({ id: table.id }).from(table)])
        mark(`${name} read`)
        await db.transaction(async (trx) => {
          await trx.update(table).set({ mail: 'x' }).where(eq(table.id, 1))
          mark(`${name} wrote`)
          await trx.select().from(table)
        })
      },
      close: () => pool.end()
    }
  },

  async kysely() {
    const { Kysely, MysqlDialect, PostgresDialect } = await import('kysely')
    const pool = isPg ? await pgPool() : await mysqlPool()
    const db = new Kysely({
      dialect: isPg ? new PostgresDialect({ pool }) : new MysqlDialect({ pool })
    })
    return {
      async ask(table) {
        const read = () => db.selectFrom(table).select('id').execute()
        await Promise.all([read(), read()])
        mark(`${table} read`)
        await db.transaction().execute(async (trx) => {
          await trx.updateTable(table).set({ mail: 'x' }).where('id', '=', 1).execute()
          mark(`${table} wrote`)
          await trx.selectFrom(table).selectAll().execute()
        })
      },
      close: () => db.destroy()
    }
  },

  async 'mikro-orm'() {
    const { EntitySchema, MikroORM } = await import('@mikro-orm/postgresql')
    const entities = tables.map(
      (name) =>
        new EntitySchema({
          name,
          tableName: name,
          properties: { id: { type: 'number', primary: true }, mail: { type: 'string' } }
        })
    )
    const orm = await MikroORM.init({
      ...connection,
      dbName: connection.database,
      entities,
      pool: { min: 0, max: CONNECTIONS }
    })
    return {
      async ask(table) {
        const read = () => orm.em.fork().find(table, {})
        await Promise.all([read(), read()])
        mark(`${table} read`)
        await orm.em.fork().transactional(async (em) => {
          const row = await em.findOneOrFail(table, 1)
          row.mail = `${row.mail}!`
          await em.flush()
          mark(`${table} wrote`)
          await em.count(table)
        })
      },
      close: () => orm.close()
    }
  }
}

async function setUp() {
  const statements = tables.flatMap((table) => [
    `DROP TABLE IF EXISTS ${table}`,
    `CREATE TABLE ${table} (id INT PRIMARY KEY, mail VARCHAR(80))`,
    `INSERT INTO ${table} VALUES (1, 'a')`
  ])
  if (isPg) {
    const pool = await pgPool()
    for (const each of statements) await pool.query(each)
    return pool.end()
  }
  const mysql = await load('mysql2/promise', 'require')
  const { database, ...server } = connection
  const client = await mysql.createConnection(server)
  await client.query(`CREATE DATABASE IF NOT EXISTS ${database}`)
  await client.query(`USE ${database}`)
  for (const each of statements) await client.query(each)
  await client.end()
}

/** A request without a client's span. */
async function get(at, path) {
  const socket = connect(at, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n`)
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  await once(socket, 'close')
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer)
}

await setUp()
const { ask, close } = await libraries[library]()
const server = createServer((request, response) => {
  const table = request.url.slice(1)
  ask(table).then(
    () => {
      mark(`${table} done`)
      response.end('ok')
    },
    (error) => {
      response.statusCode = 500
      response.end(error.stack)
    }
  )
})
await once(server.listen(0, '127.0.0.1'), 'listening')
await Promise.all(tables.map((table) => get(server.address().port, `/${table}`)))
server.close()
await close()
end()
