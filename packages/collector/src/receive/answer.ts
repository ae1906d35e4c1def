/**
 * What a sender hears: ExportTraceServiceResponse, or google.rpc.Status with an HTTP status, in
 * the encoding of its request. What may succeed later says when, twice: exporters read either the
 * `Retry-After` header or RetryInfo.
 */
import { HEAD_RATE_HEADER } from '@spanloom/otlp'
import type { CollectorError, ErrorCode } from '../errors.ts'
import { loadProto } from './proto.ts'
import type { Signal } from './signal.ts'

export type Encoding = 'protobuf' | 'json'

export interface Answer {
  readonly httpStatus: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** google.rpc.Code */
const INVALID_ARGUMENT = 3
const NOT_FOUND = 5
const RESOURCE_EXHAUSTED = 8
const UNIMPLEMENTED = 12
const INTERNAL = 13
const UNAVAILABLE = 14

/** Every error that a sender can meet: HTTP status, google.rpc.Code. All others are 500. */
const STATUSES: Partial<Record<ErrorCode, readonly [httpStatus: number, rpcCode: number]>> = {
  RECEIVE_BODY_TOO_LARGE: [413, INVALID_ARGUMENT],
  RECEIVE_BUSY: [429, RESOURCE_EXHAUSTED],
  RECEIVE_COMPRESSION_DAMAGED: [400, INVALID_ARGUMENT],
  RECEIVE_CONTENT_ENCODING_UNSUPPORTED: [415, INVALID_ARGUMENT],
  RECEIVE_CONTENT_TYPE_UNSUPPORTED: [415, INVALID_ARGUMENT],
  RECEIVE_INFLATED_TOO_LARGE: [413, INVALID_ARGUMENT],
  RECEIVE_METHOD_UNSUPPORTED: [405, UNIMPLEMENTED],
  RECEIVE_PATH_UNKNOWN: [404, NOT_FOUND],
  RECEIVE_PAYLOAD_MALFORMED: [400, INVALID_ARGUMENT],
  RECEIVE_SIGNAL_UNSUPPORTED: [404, UNIMPLEMENTED],
  JOURNAL_CLOSED: [503, UNAVAILABLE],
  JOURNAL_FULL: [429, RESOURCE_EXHAUSTED],
  JOURNAL_WRITE_FAILED: [503, UNAVAILABLE],
  PIPELINE_FULL: [429, RESOURCE_EXHAUSTED],
  PIPELINE_NOT_OPEN: [503, UNAVAILABLE]
}

/** Long enough for a segment to be trimmed, short enough that no queue of a sender runs over. */
const RETRY_AFTER_SECONDS = 1

const CONTENT_TYPES = {
  protobuf: 'application/x-protobuf',
  json: 'application/json'
} as const

const proto = loadProto('rpc-status.proto', 'trace-service.proto')
const StatusMessage = proto.lookupType('spanloom.rpc.Status')
const RetryInfoMessage = proto.lookupType('spanloom.rpc.RetryInfo')
const ResponseMessage = proto.lookupType('spanloom.otlp.ExportTraceServiceResponse')

const RETRY_INFO_URL = 'type.googleapis.com/google.rpc.RetryInfo'

/** In protobuf all signals' answers are the same bytes. */
const REJECTED = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords'
} as const

export function answerAccepted(
  encoding: Encoding,
  signal: Signal,
  rejected?: { readonly count: number; readonly reason: string },
  headRate?: string
): Answer {
  const partialSuccess =
    rejected === undefined
      ? undefined
      : { rejectedSpans: rejected.count, errorMessage: rejected.reason }
  const body =
    encoding === 'protobuf'
      ? ResponseMessage.encode(partialSuccess === undefined ? {} : { partialSuccess }).finish()
      : toJson(
          // int64 is a string in protobuf's JSON.
          partialSuccess === undefined
            ? {}
            : {
                partialSuccess: {
                  [REJECTED[signal]]: `${rejected?.count}`,
                  errorMessage: rejected?.reason
                }
              }
        )
  const headers = headersFor(encoding, body)
  if (headRate !== undefined) headers[HEAD_RATE_HEADER] = headRate
  return { httpStatus: 200, headers, body }
}

export function answerRefused(encoding: Encoding, error: CollectorError | undefined): Answer {
  const [httpStatus, code] = (error && STATUSES[error.code]) ?? [500, INTERNAL]
  const message = error?.message ?? 'The collector failed on this request. Its log says why.'
  const retry = httpStatus === 429 || httpStatus === 503
  const body =
    encoding === 'protobuf'
      ? statusProtobuf(code, message, retry)
      : statusJson(code, message, retry)
  const headers: Record<string, string> = headersFor(encoding, body)
  if (retry) headers['retry-after'] = String(RETRY_AFTER_SECONDS)
  if (httpStatus === 405) headers.allow = 'POST'
  return { httpStatus, headers, body }
}

function statusProtobuf(code: number, message: string, retry: boolean): Uint8Array {
  const retryInfo = { retryDelay: { seconds: RETRY_AFTER_SECONDS, nanos: 0 } }
  const details = retry
    ? [{ typeUrl: RETRY_INFO_URL, value: RetryInfoMessage.encode(retryInfo).finish() }]
    : []
  return StatusMessage.encode({ code, message, details }).finish()
}

function statusJson(code: number, message: string, retry: boolean): Uint8Array {
  const details = retry
    ? [{ '@type': RETRY_INFO_URL, retryDelay: `${RETRY_AFTER_SECONDS}s` }]
    : undefined
  return toJson({ code, message, details })
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function headersFor(encoding: Encoding, body: Uint8Array): Record<string, string> {
  return { 'content-type': CONTENT_TYPES[encoding], 'content-length': String(body.length) }
}
