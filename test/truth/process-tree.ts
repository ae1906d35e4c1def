/** Memory of a process and all its descendants, from /proc: Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Resident memory, summed: pages that processes share are counted in each, so this is an upper
 * bound. `undefined` where there is no /proc.
 */
export function treeRssMB(rootPid: number): number | undefined {
  const parents = parentsByPid()
  if (parents === undefined) return undefined
  let kB = 0
  for (const pid of parents.keys()) {
    if (isWithin(pid, rootPid, parents)) kB += rssKB(pid)
  }
  return Math.round(kB / 1024)
}

function parentsByPid(): Map<number, number> | undefined {
  const parents = new Map<number, number>()
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      const parent = statusField(Number(name), 'PPid')
      if (parent !== undefined) parents.set(Number(name), parent)
    }
  } catch {
    return undefined
  }
  return parents
}

function isWithin(pid: number, rootPid: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at !== 0; at = parents.get(at)) {
    if (at === rootPid) return true
  }
  return false
}

function rssKB(pid: number): number {
  return statusField(pid, 'VmRSS') ?? 0
}

/** `undefined` when the process is gone. */
function statusField(pid: number, field: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const found = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]
    return found === undefined ? undefined : Number(found)
  } catch {
    return undefined
  }
}
