/**
 * Tracers that the app got from the API before the tracer started. The API hands out proxies for them, and
 * each loaded copy of it knows its own only: an ES module's, a `require`'s, and the one in our own bundle,
 * which the start registers because loading another takes 20 ms. So a late start registers with all of
 * the app's in turn. What is loaded by `--import` is there before any of them, and needs none of this.
 */
import { type ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api'
import { requireAny } from '../lib/own-file.ts'

type Api = typeof import('@opentelemetry/api')

export async function adoptEarlyTracers(provider: TracerProvider): Promise<void> {
  const imported: Api = await import('@opentelemetry/api')
  const required = requireAny.cache[requireAny.resolve('@opentelemetry/api')]
  let registered = trace
  for (const api of [required?.exports as Api | undefined, imported]) {
    if (api === undefined || api.trace === registered) continue
    const global = registered.getTracerProvider() as Partial<ProxyTracerProvider>
    // The app has put another provider there: it is the app's to say.
    if (global.getDelegate?.() !== provider) return
    registered.disable()
    api.trace.setGlobalTracerProvider(provider)
    registered = api.trace
  }
}
