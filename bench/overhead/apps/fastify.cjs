require('./bodies.cjs').fastify(require('fastify'))
