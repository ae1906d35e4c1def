/** Times as the API has them, and as the SDK's readers want them. */
import type { HrTime, TimeInput } from '@opentelemetry/api'
import type { Clock } from '../lib/clock.ts'

/** OTLP's 64 bits of nanoseconds end in the year 2554. */
const EPOCH_MS_MAX = 2 ** 64 / 1e6

export function isTime(value: unknown): value is TimeInput {
  if (typeof value !== 'object' || value === null) return typeof value === 'number'
  try {
    return (
      value instanceof Date ||
      (Array.isArray(value) && value.length === 2 && typeof value[0] === 'number')
    )
  } catch {
    // A revoked Proxy does not even say what it is.
    return false
  }
}

/**
 * The API's three ways to give a time; a small number is a reading of `performance.now()`. What is no
 * time that OTLP can carry (NaN, Infinity, before 1970, an object that throws) is now.
 */
export function epochMs(time: TimeInput, clock: Clock): number {
  const ms = readTime(time, clock)
  return ms > 0 && ms < EPOCH_MS_MAX ? ms : clock.now()
}

function readTime(time: TimeInput, clock: Clock): number {
  if (typeof time === 'number') {
    return time < performance.timeOrigin ? clock.fromMonotonic(time) : time
  }
  try {
    if (time instanceof Date) return time.getTime()
    const [seconds, nanos] = time
    // What is no number may be dear to turn into one.
    return typeof seconds === 'number' && typeof nanos === 'number'
      ? seconds * 1_000 + nanos / 1e6
      : Number.NaN
  } catch {
    return Number.NaN
  }
}

export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  const nanos = Math.round((ms - seconds * 1_000) * 1e6)
  return nanos === 1e9 ? [seconds + 1, 0] : [seconds, nanos]
}
