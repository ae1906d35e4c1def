/** How answers and errors go out: status by error code, JSON, compression, headers. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ErrorBody } from '@spanloom/query-api'
import type { Request, Response } from 'express'
import { CollectorError, type ErrorCode } from '../errors.ts'

const compress = promisify(gzip)

/** Below this, gzip saves less than a packet. */
const COMPRESS_BYTES_MIN = 1_400
/** Level 1: a trace of 10,000 spans is 5 MB of JSON, and the thread has other work. */
const COMPRESS_LEVEL = 1
const RETRY_AFTER_SECONDS = '1'

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  QUERY_BAD_CURSOR: 400,
  QUERY_BAD_PARAM: 400,
  QUERY_BAD_WINDOW: 400,
  QUERY_TIMEOUT: 504,
  QUERY_TOO_MANY: 429,
  QUERY_TRACE_NOT_FOUND: 404,
  SERVE_METHOD_NOT_ALLOWED: 405,
  SERVE_NOT_FOUND: 404,
  STORE_BUSY: 429,
  STORE_CLOSED: 503,
  STORE_QUERY_TIMEOUT: 504,
  STORE_QUERY_TOO_LARGE: 422,
  STORE_UNAVAILABLE: 503
}

/**
 * No script but our own files, no frame, no other origin. Styles may be inline, because React sets
 * `style` attributes.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

export async function sendJson(
  request: Request,
  response: Response,
  status: number,
  body: unknown
): Promise<void> {
  let bytes = Buffer.from(JSON.stringify(body))
  response.status(status)
  response.set({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    vary: 'accept-encoding'
  })
  if (bytes.length >= COMPRESS_BYTES_MIN && request.acceptsEncodings('gzip') === 'gzip') {
    bytes = await compress(bytes, { level: COMPRESS_LEVEL })
    response.set('content-encoding', 'gzip')
  }
  response.set('content-length', String(bytes.length))
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** Errors that no table row covers are ours: `report` hears them, the client only that it was so. */
export async function sendError(
  request: Request,
  response: Response,
  error: unknown,
  report: (sentence: string) => void
): Promise<void> {
  if (response.headersSent || request.socket.destroyed) {
    response.destroy()
    return
  }
  const { status, code, message } = describe(error)
  if (status === 500) report(`${request.method} ${request.path} failed: ${wordsOf(error)}`)
  if (status === 429 || status === 503) response.set('retry-after', RETRY_AFTER_SECONDS)
  if (status === 405) response.set('allow', 'GET, HEAD')
  const body: ErrorBody = { error: { code, message } }
  await sendJson(request, response, status, body)
}

function describe(error: unknown): { status: number; code: ErrorCode; message: string } {
  if (error instanceof CollectorError) {
    const { code, message }: CollectorError = error
    const status = STATUS_OF[code]
    if (status !== undefined) return { status, code, message }
  }
  if (isBadUrl(error)) {
    const bad = new CollectorError('QUERY_BAD_PARAM', ['The path is not a well-formed URL.'])
    return { status: 400, code: bad.code, message: bad.message }
  }
  const internal = new CollectorError('SERVE_INTERNAL', [])
  return { status: 500, code: internal.code, message: internal.message }
}

/** What express throws for a "%" that stands for nothing. */
function isBadUrl(error: unknown): boolean {
  return error instanceof URIError || (error as { status?: unknown } | null)?.status === 400
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message}` : String(error)
}
