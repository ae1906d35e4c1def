const http2 = require('node:http2')

require('./http2-shared.cjs')(http2)
