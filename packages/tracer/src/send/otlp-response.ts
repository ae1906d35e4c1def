/**
 * The two small messages that come back:
 *
 *   ExportTraceServiceResponse  1 partial_success { 1 rejected_spans (int64), 2 error_message }
 *   google.rpc.Status           1 code (int32), 2 message
 */
export interface PartialSuccess {
  readonly rejectedSpans: number
  readonly message: string
}

const MESSAGE_CHARS_MAX = 200

export function parsePartialSuccess(body: Uint8Array): PartialSuccess | undefined {
  const partial = readFields(body).find((field) => field.number === 1)?.bytes
  if (partial === undefined) return undefined
  const fields = readFields(partial)
  return {
    rejectedSpans: fields.find((field) => field.number === 1)?.value ?? 0,
    message: textOf(fields.find((field) => field.number === 2)?.bytes)
  }
}

export function parseStatusMessage(body: Uint8Array, contentType = ''): string {
  if (contentType.includes('protobuf')) {
    return textOf(readFields(body).find((field) => field.number === 2)?.bytes)
  }
  const text = textOf(body)
  try {
    const message = (JSON.parse(text) as { message?: unknown }).message
    return typeof message === 'string' ? message : text
  } catch {
    return text
  }
}

interface Field {
  readonly number: number
  readonly value: number
  readonly bytes: Uint8Array | undefined
}

/** Only what the two messages use (varint and length-delimited); anything else ends the reading. */
function readFields(body: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < body.length) {
    const tag = varintAt(body, at)
    at = tag.end
    const value = varintAt(body, at)
    at = value.end
    const type = tag.value & 7
    if (type === 2) {
      fields.push({ number: tag.value >>> 3, value: 0, bytes: body.subarray(at, at + value.value) })
      at += value.value
    } else if (type === 0) {
      fields.push({ number: tag.value >>> 3, value: value.value, bytes: undefined })
    } else {
      break
    }
  }
  return fields
}

function varintAt(body: Uint8Array, start: number): { value: number; end: number } {
  let value = 0
  let scale = 1
  let at = start
  while (at < body.length) {
    const byte = body[at++]!
    value += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) break
  }
  return { value, end: at }
}

function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return ''
  const text = Buffer.from(bytes.subarray(0, MESSAGE_CHARS_MAX * 3)).toString('utf8')
  return text.slice(0, MESSAGE_CHARS_MAX).replaceAll(/\s+/g, ' ').trim()
}
