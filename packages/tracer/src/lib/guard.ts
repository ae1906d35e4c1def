/**
 * Keeps the tracer's faults away from the app: what is guarded never throws. A fault is counted, and
 * the first one of each place is said through the notice, because a tracer that fails in silence
 * looks like an app without traffic.
 */
import type { Notify } from '../notices.ts'
import { textOf } from './text.ts'

export interface Guard {
  /** The same function, whose faults end here. */
  wrap<Args extends unknown[]>(place: string, fn: (...args: Args) => void): (...args: Args) => void
  /** Reports a fault that was caught elsewhere. */
  report(place: string, fault: unknown): void
  readonly faults: number
}

export function createGuard(notify: Notify): Guard {
  const said = new Set<string>()
  let faults = 0
  function report(place: string, fault: unknown): void {
    faults++
    if (said.has(place)) return
    said.add(place)
    notify('INSTRUMENT_FAULT', place, textOfFault(fault))
  }
  return {
    report,
    get faults() {
      return faults
    },
    wrap(place, fn) {
      return (...args) => {
        try {
          fn(...args)
        } catch (fault) {
          report(place, fault)
        }
      }
    }
  }
}

/** Foreign code throws what it likes, also what throws when it is read. */
function textOfFault(fault: unknown): string {
  try {
    return fault instanceof Error ? (fault.stack ?? fault.message) : textOf(fault)
  } catch {
    return textOf(undefined)
  }
}
