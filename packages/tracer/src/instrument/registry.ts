/**
 * What an instrumentation is, and the list of them. There are two kinds, and one may be both:
 *
 *   channels   subscriptions to diagnostics channels that a library, or the runtime, publishes
 *   patches    prototypes that are wrapped when the library's module has been loaded by the app
 *
 * Neither loads anything: a library that the app does not use costs a Map entry.
 */
import { channel } from 'node:diagnostics_channel'
import type { Instruments } from './instruments.ts'

export interface Instrumentation {
  readonly name: string
  readonly channels?: (
    instruments: Instruments
  ) => Readonly<Record<string, (message: unknown) => void>>
  readonly patches?: readonly ModulePatch[]
}

export interface ModulePatch {
  /** The package as its own package.json names it. */
  readonly packageName: string
  /** Supported major versions. */
  readonly majors: readonly number[]
  /** The module inside of the package, as the package itself requires it: `./lib/express`. */
  readonly request: string
  /** The module's file, from the package's folder. */
  readonly file: string
  readonly apply: (exports: unknown, instruments: Instruments) => void
}

/** Subscribes the channels of all; returns what takes them back. */
export function subscribeChannels(
  instrumentations: readonly Instrumentation[],
  instruments: Instruments
): () => void {
  const undo: (() => void)[] = []
  for (const { name, channels } of instrumentations) {
    const handlers = channels?.(instruments) ?? {}
    for (const [channelName, handler] of Object.entries(handlers)) {
      // A subscriber that throws would end the process: node rethrows on the next tick.
      const guarded = instruments.guard.wrap(`${name} (${channelName})`, handler)
      const subscribed = channel(channelName)
      subscribed.subscribe(guarded)
      undo.push(() => subscribed.unsubscribe(guarded))
    }
  }
  return () => {
    for (const unsubscribe of undo) unsubscribe()
  }
}
