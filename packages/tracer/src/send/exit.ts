/**
 * The last moments of the process: whatever way it ends, what was recorded is delivered first, for a
 * bounded time.
 *
 *   process.exit(), natural end, uncaught error   'exit' is emitted: flush and wait there
 *   SIGTERM, SIGINT, SIGHUP, nobody listens       our listener flushes, then the signal kills as it would
 *   SIGTERM, SIGINT, SIGHUP, the app listens      our listener is not there; 'exit' comes when the app ends
 *
 * The signal listener is put in only while the app has none, and taken out when the app adds its own:
 * code that asks `listenerCount('SIGTERM')`, as many libraries do, sees what it would see without us.
 */
/** SIGQUIT is not among them: who sends it wants the process as it is, and its core. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

/** Calls `flush` once before the process ends. Returns what takes it all back. */
export function onProcessEnd(flush: () => void): () => void {
  let flushed = false
  const flushOnce = () => {
    if (flushed) return
    flushed = true
    flush()
  }

  const handlers = new Map<string | symbol, () => void>()
  for (const signal of SIGNALS) handlers.set(signal, () => dieBy(signal))

  function dieBy(signal: Signal): void {
    flushOnce()
    uninstall()
    process.kill(process.pid, signal)
  }

  function added(event: string | symbol, listener: unknown): void {
    const own = handlers.get(event)
    if (own === undefined || listener === own) return
    // Not at once: without any listener, for a moment, the signal would kill.
    process.nextTick(() => {
      if (process.listenerCount(event) > 1) process.removeListener(event, own)
    })
  }

  function removed(event: string | symbol, listener: unknown): void {
    const own = handlers.get(event)
    if (own === undefined || listener === own) return
    if (process.listenerCount(event) === 0) process.on(event, own)
  }

  function uninstall(): void {
    process.removeListener('exit', flushOnce)
    process.removeListener('newListener', added)
    process.removeListener('removeListener', removed)
    for (const [signal, own] of handlers) process.removeListener(signal, own)
  }

  process.on('exit', flushOnce)
  for (const [signal, own] of handlers) {
    if (process.listenerCount(signal) === 0) process.on(signal, own)
  }
  process.on('newListener', added)
  process.on('removeListener', removed)
  return uninstall
}
