'use strict'
// For `node --require` and `require()`. It loads the one ES module, so that there is one tracer.
// Not in node's loader thread, which runs preloaded modules too, and where nothing can be required.
if (!require('node:worker_threads').isInternalThread) {
  try {
    module.exports = require('./register.js').default
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ESM') throw error
    module.exports = inert()
  }
}

// Where no ES module can be required (Jest's sandbox, Node before 20.19) the app runs as without a tracer.
function inert() {
  const { INVALID_SPAN_CONTEXT, trace } = require('@opentelemetry/api')
  const { node } = process.versions
  const notice =
    Number.parseInt(node, 10) < 22
      ? `NODE_TOO_OLD: This is Node ${node}, and the tracer needs 22.15 or later: nothing is traced.`
      : 'NODE_NO_REQUIRE: No ES module can be required (--no-experimental-require-module): nothing is traced.'
  // In Jest's sandbox it would be said for each test file.
  const isJest = /[\\/]jest(?:-[\w-]+)?(?:[\\/.]|$)/.test(process.argv[1] ?? '')
  if (!isJest) process.stderr.write(`[spanloom] ${notice}\n`)
  return {
    trace(_name, ...rest) {
      const fn = rest.at(-1)
      if (typeof fn !== 'function') return undefined
      return fn(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), () => {})
    },
    wrap: (_name, ...rest) => rest.at(-1),
    activeSpan() {},
    setUser() {},
    recordError() {},
    async flush() {},
    async shutdown() {},
    registerInstrumentations: () => () => {},
    addSpanProcessor() {},
    addSpanExporter() {},
    setSampler() {}
  }
}
