import http from 'node:http'
import bodies from './bodies.cjs'

bodies.nodeHttp(http)
