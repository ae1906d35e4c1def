// Requires an ES module that imports node:http2: while node loads it, nothing else runs in this thread.
const http2 = require('./http2-exports.mjs')
const endMs = performance.now() + 5_000

function begin() {
  const isAsNodeMadeIt = `${http2.connect}`.startsWith('function connect(')
  if (isAsNodeMadeIt && performance.now() < endMs) setImmediate(begin)
  else require('./http2-shared.cjs')(http2)
}
begin()
