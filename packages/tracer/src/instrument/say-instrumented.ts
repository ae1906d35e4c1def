/**
 * What has come of the instrumentations, said once a few seconds after the start: by then an app has loaded
 * its libraries. That one was loaded before the tracer, or is of a version that is not supported, is a warning
 * and said in any case; what is traced is said with the start-up log only.
 */
import type { Notify } from '../notices.ts'
import type { Usage } from './registry.ts'

const AFTER_MS = 5_000

/** Returns what takes it back. */
export function sayInstrumentedSoon(
  usages: readonly Usage[],
  saysAll: boolean,
  notify: Notify
): () => void {
  const timer = setTimeout(() => sayInstrumented(usages, saysAll, notify), AFTER_MS)
  timer.unref()
  return () => clearTimeout(timer)
}

export function sayInstrumented(usages: readonly Usage[], saysAll: boolean, notify: Notify): void {
  const modules = usages.flatMap((usage) => usage.modules)
  const names = (chosen: typeof modules) =>
    [...new Set(chosen.map(({ packageName, version }) => `${packageName} ${version}`))].join(', ')
  const late = names(modules.filter(({ seen }) => seen === 'cache'))
  if (late !== '') notify('INSTRUMENT_LATE', late)
  for (const { entry, unsupported, modules: patched } of usages) {
    const [first] = unsupported
    if (first === undefined || patched.length > 0) continue
    notify('INSTRUMENT_UNSUPPORTED', first.packageName, first.version, entry.versions)
  }
  if (saysAll) notify('INSTRUMENTED', names(modules) || 'nothing but what Node itself has')
}
