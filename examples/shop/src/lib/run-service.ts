/**
 * The life of a service: listen, say so, answer for its counts, and stop gracefully.
 *
 * It stops at SIGTERM and when the launcher is gone (IPC `disconnect`), so that a killed launcher
 * leaves no orphans: no new connections, requests under way are finished, then the process ends by
 * itself because nothing is left to do.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Counter } from './counter.ts'
import type { FromService, ToService } from './messages.ts'

/** Longer than any pause of the shoppers, so that no call meets a connection that just closed. */
const KEEP_ALIVE_MS = 120_000
/** The slowest request takes 0.8 s; who is not done after this is ended. */
const STOP_MS_MAX = 2_500
const CLOSE_IDLE_EVERY_MS = 20

export function tell(message: FromService): void {
  if (process.connected) process.send?.(message)
}

/** Runs `server` on the port in PORT (0: any). `stop` ends what the service holds besides. */
export function runService(server: Server, counter: Counter, stop?: () => Promise<unknown>): void {
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.on('error', failToStart)
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    tell({ type: 'ready', port: (server.address() as AddressInfo).port })
  })
  answerForCounts(counter)
  stopWhenTold(async () => {
    await closeServer(server)
    await stop?.()
  })
}

export function failToStart(error: NodeJS.ErrnoException): void {
  process.exitCode = 1
  if (!process.connected) {
    console.error(error.message)
    return
  }
  tell({ type: 'failed', code: error.code ?? 'UNKNOWN', message: error.message })
  process.disconnect()
}

/** Over IPC and not over HTTP: asking must not change the counts. */
export function answerForCounts(counter: Counter): void {
  process.on('message', (message: ToService) => {
    if (message.type !== 'counts') return
    tell({ type: 'counts', requestId: message.requestId, counts: counter.snapshot() })
  })
}

export function stopWhenTold(stop: () => Promise<unknown>): void {
  let stopping = false
  const stopOnce = (): void => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
    stop().then(
      () => {
        if (process.connected) process.disconnect()
      },
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      }
    )
  }
  process.on('SIGTERM', stopOnce)
  process.on('SIGINT', stopOnce)
  process.on('disconnect', stopOnce)
}

/** `close` ends the connections that are idle now; those that become idle later are ended here. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS)
    server.close(() => {
      clearInterval(timer)
      resolve()
    })
  })
}
