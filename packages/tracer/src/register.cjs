'use strict'
// For `node --require` and `require()`. It loads the one ES module, so that there is one tracer.
module.exports = require('./register.js').default
