/**
 * A real PostgreSQL engine behind its wire protocol, from the npm registry and in memory. Runs
 * without the tracer, as databases do. Serves as many connections as it is asked for by taking
 * their queries in turn; the shop uses one.
 */
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { Counter } from './lib/counter.ts'
import { answerForCounts, failToStart, stopWhenTold, tell } from './lib/run-service.ts'
import { PRODUCTS } from './products.ts'

const CONNECTIONS_MAX = 4
/** More than any run of the shoppers buys. */
const STOCK_PER_PRODUCT = 1_000_000_000

const db = await PGlite.create()
await db.exec(`
  CREATE TABLE stock (product_id text PRIMARY KEY, left_count integer NOT NULL);
  CREATE TABLE orders (
    order_id text PRIMARY KEY,
    user_id text NOT NULL,
    product_id text NOT NULL REFERENCES stock,
    amount_cents integer NOT NULL,
    state text NOT NULL DEFAULT 'placed'
  );
  INSERT INTO stock SELECT 'p' || n, ${STOCK_PER_PRODUCT} FROM generate_series(1, ${PRODUCTS.length}) n;
  INSERT INTO orders VALUES ('order-of-yesterday', 'user-1', 'p1', 990, 'paid');
`)

const server = new PGLiteSocketServer({
  db,
  host: '127.0.0.1',
  port: Number(process.env.PORT ?? 0),
  maxConnections: CONNECTIONS_MAX
})

answerForCounts(new Counter())
stopWhenTold(async () => {
  await server.stop()
  await db.close()
})
server
  .start()
  .then(
    () => tell({ type: 'ready', port: Number(server.getServerConn().split(':').at(-1)) }),
    failToStart
  )
