'use strict'
// For `node --require` and `require()`. It loads the one ES module, so that there is one tracer.
// Not in node's loader thread, which runs preloaded modules too, and where nothing can be required.
if (!require('node:worker_threads').isInternalThread)
  module.exports = require('./register.js').default
