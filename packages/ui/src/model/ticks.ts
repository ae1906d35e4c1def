/** Round numbers along an axis of time: 1, 2 or 5 times a power of ten. */
export function niceTicks(from: number, to: number, countMax: number): readonly number[] {
  const range = to - from
  if (!(range > 0) || countMax < 1) return []
  const rough = range / countMax
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!
  const ticks: number[] = []
  const last = Math.floor(to / step + 1e-9)
  for (let at = Math.ceil(from / step - 1e-9); at <= last; at++) ticks.push(at * step)
  return ticks
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const CLOCK_STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR_MS)
]

/** Moments that a clock on the wall would mark: whole seconds, minutes, quarters, hours. */
export function clockTicks(
  fromUnixMs: number,
  toUnixMs: number,
  countMax: number
): readonly number[] {
  const range = toUnixMs - fromUnixMs
  if (!(range > 0) || countMax < 1) return []
  const last = CLOCK_STEPS_MS[CLOCK_STEPS_MS.length - 1]!
  const step = CLOCK_STEPS_MS.find((size) => range / size <= countMax) ?? last
  const ticks: number[] = []
  for (let at = Math.ceil(fromUnixMs / step) * step; at <= toUnixMs; at += step) ticks.push(at)
  // A range of weeks would need more than were asked for: every so many of them do.
  const keep = Math.ceil(ticks.length / countMax)
  return ticks.filter((_, index) => index % keep === 0)
}
