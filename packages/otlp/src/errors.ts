/**
 * Every error that reading OTLP can end in, by code. Codes are API: match on `code`, never on the
 * message. `OTLP_JSON_…` messages start with the path of the value, all others name the byte.
 */
const MESSAGES = {
  OTLP_DEPTH: (atByte: number, depthMax: number) =>
    `An attribute value at byte ${atByte} is nested deeper than ${depthMax}. Flatten it.`,
  OTLP_JSON_DEPTH: (path: string, depthMax: number) =>
    `${path} is nested deeper than ${depthMax}. Flatten it.`,
  OTLP_JSON_VALUE: (path: string, wanted: string) => `${path} must be ${wanted}.`,
  OTLP_TAG: (atByte: number) =>
    `The tag before byte ${atByte} is not a protobuf field. Is this an OTLP payload?`,
  OTLP_TOO_LARGE: (byteCount: number, bytesMax: number) =>
    `A message has ${byteCount} bytes; ${bytesMax} is the most. Send smaller batches.`,
  OTLP_TRUNCATED: (atByte: number) =>
    `The payload ends inside a field, at byte ${atByte}. Was it cut on the way?`,
  OTLP_VARINT: (atByte: number) =>
    `The number before byte ${atByte} is longer than ten bytes. Is this an OTLP payload?`,
  OTLP_WIRE_TYPE: (field: number, wireType: number, atByte: number) =>
    `Field ${field} before byte ${atByte} has wire type ${wireType}, which OTLP does not use there.`
} as const

export type OtlpErrorCode = keyof typeof MESSAGES

export const ERROR_CODES = Object.keys(MESSAGES) as readonly OtlpErrorCode[]

export class OtlpError<Code extends OtlpErrorCode = OtlpErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, facts: Parameters<(typeof MESSAGES)[Code]>) {
    const describe = MESSAGES[code] as (...facts: unknown[]) => string
    super(describe(...facts))
    this.name = 'OtlpError'
    this.code = code
  }
}
