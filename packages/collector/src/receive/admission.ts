/**
 * What can be said about a request from its head alone. The order is that of specificity: first
 * where it goes, then how, then in what shape, then how much.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { CollectorError } from '../errors.ts'
import type { Compression } from '../model/compression.ts'
import type { Encoding } from './answer.ts'
import type { Signal } from './signal.ts'

const SIGNALS: Readonly<Record<string, Signal>> = {
  '/v1/traces': 'traces',
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs'
}
const COMPRESSIONS: readonly string[] = ['identity', 'gzip', 'zstd'] satisfies Compression[]
const OTHER_SIGNALS = ['/v1development/profiles']

/** Of what a sender wrote, quoted back in an error. */
const QUOTED_CHARS_MAX = 200

export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

export interface Admission {
  readonly signal: Signal
  readonly encoding: Encoding
  readonly compression: Compression
  /** As declared; 0 when the body comes in chunks. */
  readonly byteCount: number
}

/** @throws CollectorError RECEIVE_… */
export function admit({ method, url, headers }: RequestHead, bodyBytesMax: number): Admission {
  const path = url.split('?', 1)[0] ?? ''
  if (OTHER_SIGNALS.includes(path)) {
    throw new CollectorError('RECEIVE_SIGNAL_UNSUPPORTED', [path])
  }
  const signal = Object.hasOwn(SIGNALS, path) ? SIGNALS[path] : undefined
  if (signal === undefined) throw new CollectorError('RECEIVE_PATH_UNKNOWN', [quoted(path)])
  if (method !== 'POST') throw new CollectorError('RECEIVE_METHOD_UNSUPPORTED', [quoted(method)])
  const encoding = encodingOf(headers)
  if (encoding === undefined) {
    const type = headers['content-type'] ?? ''
    throw new CollectorError('RECEIVE_CONTENT_TYPE_UNSUPPORTED', [quoted(type)])
  }
  // Reports of open spans come from our own tracer, in protobuf; other logs are not kept anyway.
  if (signal === 'logs' && encoding === 'json') {
    throw new CollectorError('RECEIVE_CONTENT_TYPE_UNSUPPORTED', ['application/json'])
  }
  const compression = compressionOf(headers)
  const byteCount = Number(headers['content-length'] ?? 0)
  if (byteCount > bodyBytesMax) throw new CollectorError('RECEIVE_BODY_TOO_LARGE', [bodyBytesMax])
  return { signal, encoding, compression, byteCount }
}

/** Parameters (`; charset=utf-8`) change nothing: protobuf has none, JSON is UTF-8. */
export function encodingOf(headers: IncomingHttpHeaders): Encoding | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/x-protobuf') return 'protobuf'
  return type === 'application/json' ? 'json' : undefined
}

function compressionOf(headers: IncomingHttpHeaders): Compression {
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (COMPRESSIONS.includes(coding)) return coding as Compression
  throw new CollectorError('RECEIVE_CONTENT_ENCODING_UNSUPPORTED', [quoted(coding)])
}

function quoted(text: string): string {
  return text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text
}
