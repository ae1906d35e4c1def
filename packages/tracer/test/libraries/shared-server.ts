/** One server for all tests of the `describe` in which this is called; its port is known once they run. */
import { afterAll, beforeAll } from 'vitest'
import type { RunningServer } from './servers.ts'

/** A database is made before it is started, and a broker takes its time. */
const START_WITHIN_MS = 120_000

export function sharedServer(start: () => Promise<RunningServer>): { readonly port: number } {
  let server: RunningServer | undefined
  beforeAll(async () => {
    server = await start()
  }, START_WITHIN_MS)
  afterAll(() => server?.stop())
  return {
    get port() {
      if (server === undefined) throw new Error('The server is started when the tests are')
      return server.port
    }
  }
}
