/**
 * What scanning, checking and decoding a trace payload cost, beside protobufjs decoding it to
 * objects. `npm run -s otlp:scan`, `-- --json` for machines. About six seconds.
 *
 * The payload is re-encoded by protobufjs before it is measured: lengths of one byte where they
 * fit, fields in order of their numbers, as the stock SDKs send it.
 */
import { strict as assert } from 'node:assert'
import { fileURLToPath } from 'node:url'
import {
  checkTraces,
  createScanner,
  decodeSpan,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  StringTable,
  traceIdOfRow
} from '@spanloom/otlp'
import protobuf from 'protobufjs'
import { measure, report } from '../lib/measure.ts'
import { tracesPayload } from './payload.ts'

const SPANS = 512

const root = protobuf.loadSync(
  fileURLToPath(new URL('../../packages/otlp/proto/traces.proto', import.meta.url))
)
const request = root.lookupType('ExportTraceServiceRequest')
const payload = Buffer.from(request.encode(request.decode(tracesPayload(SPANS))).finish())

const limits = { stringsMax: 100_000, bytesMax: 16 << 20, stringBytesMax: 1024 }
const bare = createScanner([], new StringTable(limits))
const three = createScanner(
  [HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE],
  new StringTable(limits)
)

assert.equal(bare.scan(payload).count, SPANS)
assert.equal(checkTraces(payload).spanCount, SPANS)

const PROTOBUFJS = 'protobufjs decode'
const prices = measure([
  {
    name: PROTOBUFJS,
    run: () => {
      request.decode(payload)
      return SPANS
    }
  },
  { name: 'decodeSpan of each', run: decodeAll },
  { name: 'checkTraces', run: () => checkTraces(payload).spanCount },
  { name: 'scan', run: () => bare.scan(payload).count },
  { name: 'scan with 3 attributes', run: () => three.scan(payload).count },
  { name: 'scan, trace ids in hex', run: scanWithHex }
])
report(`OTLP, ${SPANS} spans in ${payload.length} bytes`, 'spans', prices, PROTOBUFJS)

function scanWithHex(): number {
  const rows = bare.scan(payload)
  let digits = 0
  for (let row = 0; row < rows.count; row++) digits += traceIdOfRow(rows.traceId, row).length
  assert.equal(digits, SPANS * 32)
  return rows.count
}

function decodeAll(): number {
  const rows = bare.scan(payload)
  for (let row = 0; row < rows.count; row++) {
    decodeSpan(payload, rows.spanOffset[row]!, rows.spanLength[row]!)
  }
  return rows.count
}
