/** The built-in instrumentations. */
import { type InstrumentationChoice, isInstrumented } from '../config/config.ts'
import { express } from './express.ts'
import { fastify } from './fastify.ts'
import { httpClient } from './http-client.ts'
import { httpServer } from './http-server.ts'
import type { Instruments } from './instruments.ts'
import { watchModules } from './module-hook.ts'
import { pg } from './pg.ts'
import { type Instrumentation, subscribeChannels } from './registry.ts'
import { undici } from './undici.ts'

const INSTRUMENTATIONS: readonly Instrumentation[] = [
  httpServer,
  httpClient,
  undici,
  express,
  fastify,
  pg
]

/** Returns what takes the subscriptions back; patched prototypes stay, and find nothing to do. */
export function instrumentAll(instruments: Instruments, choice: InstrumentationChoice): () => void {
  const chosen = INSTRUMENTATIONS.filter(({ name }) => isInstrumented(choice, name))
  const unsubscribe = subscribeChannels(chosen, instruments)
  const patches = chosen.flatMap((each) => each.patches ?? [])
  const unwatch = watchModules(patches, instruments)
  return () => {
    unsubscribe()
    unwatch()
  }
}
