export { connect, constants, createServer } from 'node:http2'
