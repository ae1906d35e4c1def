/**
 * esbuild: keeps the instrumentations of bundled libraries.
 *
 *   import { spanloom } from '@spanloom/tracer/esbuild'
 *   await build({ …, platform: 'node', plugins: [spanloom()] })
 */
import { readFile } from 'node:fs/promises'
import { footerFor, LIBRARY_PATTERN, TRACER_PATTERN } from './targets.ts'

/** As much of esbuild's interface as is used: no version of it is asked for. */
interface Build {
  onResolve(
    options: { filter: RegExp },
    callback: (args: { path: string }) => { path: string; external: true }
  ): void
  onLoad(
    options: { filter: RegExp },
    callback: (args: { path: string }) => Promise<{ contents: string; loader: 'js' } | undefined>
  ): void
}

export function spanloom(): { name: string; setup(build: Build): void } {
  return {
    name: 'spanloom',
    setup(build) {
      build.onResolve({ filter: TRACER_PATTERN }, ({ path }) => ({ path, external: true }))
      build.onLoad({ filter: LIBRARY_PATTERN }, async ({ path }) => {
        const footer = footerFor(path)
        if (footer === '') return undefined
        return { contents: (await readFile(path, 'utf8')) + footer, loader: 'js' }
      })
    }
  }
}
