/** The load hook of esm-hook.ts on the loader's thread, for versions of node whose own hooks are not sound. */
import { withFooter } from './esm-hook.ts'

type Loaded = Parameters<typeof withFooter>[1]

export async function load(
  url: string,
  context: unknown,
  nextLoad: (url: string, context: unknown) => Promise<Loaded>
): Promise<Loaded> {
  const loaded = await nextLoad(url, context)
  // A source for CommonJS would make node load it, and all that it requires, in another way.
  return loaded.format === 'module' ? withFooter(url, loaded) : loaded
}
