require('./bodies.cjs').nodeHttp(require('node:http'))
