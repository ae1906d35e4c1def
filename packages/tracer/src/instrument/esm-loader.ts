/** The load hook of esm-hook.ts on the loader's thread, for versions of node whose own hooks are not sound. */
import type { MessagePort } from 'node:worker_threads'
import { builtins, withFooter } from './esm-hook.ts'

type Loaded = Parameters<typeof withFooter>[1]

/** A main thread that waits for this one (a `require` of an ES module) cannot answer it. */
const ANSWER_WAIT_MS = 50

let mainThread: MessagePort | undefined

export function initialize(port: MessagePort | undefined): void {
  mainThread = port
  port?.unref()
}

export async function load(
  url: string,
  context: unknown,
  nextLoad: (url: string, context: unknown) => Promise<Loaded>
): Promise<Loaded> {
  if (url.startsWith('node:')) await announceBuiltin(url.slice('node:'.length))
  const loaded = await nextLoad(url, context)
  // A source for CommonJS would make node load it, and all that it requires, in another way.
  return loaded.format === 'module' ? withFooter(url, loaded) : loaded
}

/** Resolves when the main thread has patched it, so that the app's first call is seen. */
async function announceBuiltin(name: string): Promise<void> {
  if (mainThread === undefined || !builtins.has(name)) return
  const port = mainThread
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      port.off('message', done)
      port.unref()
      resolve()
    }
    const timer = setTimeout(done, ANSWER_WAIT_MS)
    port.on('message', done)
    port.postMessage(name)
  })
}
