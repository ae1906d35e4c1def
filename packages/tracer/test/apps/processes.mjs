// Spans from every kind of process and thread that Node has; argv: which kind.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker } from 'node:worker_threads'
import { trace } from '@opentelemetry/api'

const self = fileURLToPath(import.meta.url)
const [, , kind, role] = process.argv

function span(name) {
  trace.getTracer('processes').startSpan(name).end()
}

if (!isMainThread) {
  span('in worker thread')
  if (kind === 'thread-exit') process.exit(0)
} else if (role === 'child') span('in fork')
else if (cluster.isWorker) {
  span('in cluster worker')
  process.disconnect()
} else {
  span('in main')
  if (kind.startsWith('thread')) new Worker(self, { argv: [kind] })
  if (kind === 'fork') fork(self, ['fork', 'child'])
  if (kind === 'cluster') {
    cluster.setupPrimary({ exec: self })
    cluster.fork()
  }
}
