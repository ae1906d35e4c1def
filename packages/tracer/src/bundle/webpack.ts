/**
 * webpack (and Rspack): keeps the instrumentations of bundled libraries.
 *
 *   import { SpanloomPlugin } from '@spanloom/tracer/webpack'
 *   export default { target: 'node', plugins: [new SpanloomPlugin()] }
 */
import { fileURLToPath } from 'node:url'
import { ownFile } from '../lib/own-file.ts'
import { LIBRARY_PATTERN, TRACER_PATTERN } from './targets.ts'

/** As much of webpack's interface as is used. */
interface Compiler {
  readonly options: { module: { rules: unknown[] }; externals?: unknown; output?: unknown }
}

type ExternalResult = (error?: null, result?: string) => void

const loader = fileURLToPath(ownFile('bundle/webpack-loader'))

export class SpanloomPlugin {
  apply({ options }: Compiler): void {
    options.module.rules.push({ test: LIBRARY_PATTERN, enforce: 'pre', use: [{ loader }] })
    const { externals } = options
    const others = externals === undefined ? [] : Array.isArray(externals) ? externals : [externals]
    options.externals = [...others, leaveTracerOut]
  }
}

/** By `require`, which every version that the tracer supports has for ES modules too. */
function leaveTracerOut({ request = '' }: { request?: string }, done: ExternalResult): void {
  if (TRACER_PATTERN.test(request)) done(null, `node-commonjs ${request}`)
  else done()
}
