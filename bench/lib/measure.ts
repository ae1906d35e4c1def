/**
 * Measures in CPU time, because other work runs on the same machine: rounds of all contenders in
 * turn, so that a busy moment meets all of them; of each contender the median round counts.
 */
export interface Contender {
  readonly name: string
  /** Does the work once and returns how many items it did, so that nothing can be left out. */
  readonly run: () => number
}

export interface Price {
  readonly name: string
  readonly itemsPerCpuSecond: number
}

const WARM_UP_MS = 300

export function measure(contenders: readonly Contender[], rounds = 9, roundMs = 120): Price[] {
  for (const { run } of contenders) spend(run, WARM_UP_MS)
  const speeds = contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of contenders.entries()) speeds[index]!.push(spend(run, roundMs))
  }
  return contenders.map(({ name }, index) => ({ name, itemsPerCpuSecond: median(speeds[index]!) }))
}

/** Items per CPU second over about `ms`. */
function spend(run: () => number, ms: number): number {
  const before = process.cpuUsage()
  let items = 0
  for (;;) {
    items += run()
    const { user, system } = process.cpuUsage(before)
    if (user + system >= ms * 1000) return (items / (user + system)) * 1e6
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

/** A table for people, or one line of JSON when `--json` was asked for. */
export function report(title: string, unit: string, prices: readonly Price[], base: string): void {
  const baseSpeed = prices.find((price) => price.name === base)!.itemsPerCpuSecond
  const rows = prices.map(({ name, itemsPerCpuSecond }) => ({
    name,
    itemsPerCpuSecond: Math.round(itemsPerCpuSecond),
    ratio: Number((itemsPerCpuSecond / baseSpeed).toFixed(2))
  }))
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ title, unit, base, node: process.version, rows }))
    return
  }
  console.log(`${title} (${unit} per CPU second, Node ${process.version})`)
  for (const { name, itemsPerCpuSecond, ratio } of rows) {
    const speed = itemsPerCpuSecond.toLocaleString('en').padStart(12)
    console.log(`  ${name.padEnd(34)}${speed}   ${ratio.toFixed(2)} × ${base}`)
  }
}
