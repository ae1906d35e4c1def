import fastify from 'fastify'
import bodies from './bodies.cjs'

bodies.fastify(fastify)
