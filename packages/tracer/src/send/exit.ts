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
 *
 * In 'exit' we come first, because a listener of the app's may end the process there and then, and once more
 * after the app's, for what was recorded in them.
 */
/** SIGQUIT is not among them: who sends it wants the process as it is, and its core. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

/**
 * Calls `flush` before the process ends, and after the app's own listeners once more, unless the first call
 * returned that it was in vain. Returns what takes it all back.
 */
export function onProcessEnd(flush: () => boolean): () => void {
  let flushed: boolean | undefined
  const flushOnce = () => {
    flushed ??= flush()
  }
  const flushLast = () => {
    if (flushed === true) flush()
  }
  let isMoving = false
  let isOver = false
  function moveLast(): void {
    isMoving = false
    if (isOver) return
    process.removeListener('exit', flushLast)
    process.on('exit', flushLast)
  }

  const handlers = new Map<string | symbol, () => void>()
  for (const signal of SIGNALS) handlers.set(signal, () => dieBy(signal))

  function dieBy(signal: Signal): void {
    flushOnce()
    uninstall()
    process.kill(process.pid, signal)
  }

  function added(event: string | symbol, listener: unknown): void {
    if (event === 'exit' && listener !== flushLast && !isMoving) {
      isMoving = true
      process.nextTick(moveLast)
    }
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
    isOver = true
    process.removeListener('exit', flushOnce)
    process.removeListener('exit', flushLast)
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
