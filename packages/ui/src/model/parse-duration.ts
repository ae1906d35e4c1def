const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  '': 1,
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000
}

/** `250ms`, `1.5 s`, `2m`, `800us`, or plain milliseconds; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const parts = /^\s*(\d+(?:[.,]\d+)?)\s*([a-zµμ]*)\s*$/i.exec(text)
  if (parts === null) return undefined
  const unit = UNIT_MS[parts[2]!.toLowerCase()]
  return unit === undefined ? undefined : Number(parts[1]!.replace(',', '.')) * unit
}

/** As one would type it: `1.5s`, `250ms`. Read back by `parseDurationMs` as the same number. */
export function writeDurationMs(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms >= 1_000 && ms % 100 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}
