import * as http2 from 'node:http2'
import { createRequire } from 'node:module'

createRequire(import.meta.url)('./http2-shared.cjs')(http2)
