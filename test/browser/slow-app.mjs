/** An app that is slow in every way that the tracer tells of. What it does next, its parent says. */
import { setTimeout as sleep } from 'node:timers/promises'
import { context, SpanKind, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('slow-app')
const SERVER = { kind: SpanKind.SERVER }
const QUERY = {
  kind: SpanKind.CLIENT,
  attributes: {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': 'SELECT price FROM items WHERE id = $1'
  }
}
/** Long enough for a report, which comes after ten seconds. */
const BLOCK_MS = 12_500

const DOES = {
  /** A query for each row of another, then half a second in which nothing else can run. */
  async list() {
    const span = tracer.startSpan('GET /items', SERVER)
    await context.with(trace.setSpan(context.active(), span), async () => {
      for (let id = 0; id < 24; id++) {
        const query = tracer.startSpan('SELECT items', QUERY)
        await sleep(2 + (id % 5))
        query.end()
        await sleep(1)
      }
    })
    block(500)
    span.end()
  },

  /** A span with a child that has ended, open until it is released. */
  async wait() {
    const span = tracer.startSpan('GET /wait', SERVER)
    const inSpan = trace.setSpan(context.active(), span)
    tracer.startSpan('SELECT lock', QUERY, inSpan).end()
    released.push(span)
  },

  async release() {
    for (const span of released.splice(0)) span.end()
  },

  async block() {
    const span = tracer.startSpan('<img src=x onerror="document.title=1">', SERVER)
    block(BLOCK_MS)
    span.end()
  }
}
const released = []

function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

process.on('message', (what) => DOES[what]().then(() => process.send(what)))
process.send('ready')
