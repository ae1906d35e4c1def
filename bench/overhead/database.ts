/** PostgreSQL for the app's pool: PGlite behind its socket server, a process of its own. */
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const CONNECTIONS_MAX = 32

const db = await PGlite.create()
await db.exec(`CREATE TABLE orders (id int PRIMARY KEY, item text);
  INSERT INTO orders SELECT n, 'item ' || n FROM generate_series(1, 100) AS n`)
const server = new PGLiteSocketServer({
  db,
  port: 0,
  host: '127.0.0.1',
  maxConnections: CONNECTIONS_MAX
})
await server.start()
process.on('disconnect', () => process.exit())
process.send!({ url: `postgres://postgres@${server.getServerConn()}/postgres` })
