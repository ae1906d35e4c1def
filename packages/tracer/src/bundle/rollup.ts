/**
 * Rollup, Rolldown and Vite: keeps the instrumentations of bundled libraries. It runs before the plugin that
 * turns CommonJS into ES modules, which then finds the footer as a part of the file.
 *
 *   import { spanloom } from '@spanloom/tracer/rollup'
 *   export default { …, plugins: [spanloom(), nodeResolve(), commonjs()] }
 */
import { footerFor, TRACER_PATTERN } from './targets.ts'

export interface RollupPlugin {
  readonly name: string
  readonly enforce: 'pre'
  resolveId(id: string): { id: string; external: true } | null
  transform(code: string, id: string): { code: string; map: null } | null
}

export function spanloom(): RollupPlugin {
  return {
    name: 'spanloom',
    enforce: 'pre',
    resolveId: (id) => (TRACER_PATTERN.test(id) ? { id, external: true } : null),
    transform(code, id) {
      const footer = footerFor(id)
      // Nothing before the footer moves: the map that there is stays right.
      return footer === '' ? null : { code: code + footer, map: null }
    }
  }
}
