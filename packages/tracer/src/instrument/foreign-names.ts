/**
 * Instrumentations of OpenTelemetry that record what a built-in one records: by the names of their tracers.
 * Where both are there, theirs is left out, and said once: two spans for one query would count it twice.
 */
import type { Notify } from '../notices.ts'
import type { Usage } from './registry.ts'

/** Where the name after `instrumentation-` is not ours. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  http: ['http-server', 'http-client'],
  'redis-4': ['redis'],
  'nestjs-core': ['nestjs', 'nest'],
  'grpc-js': ['grpc'],
  graphql: ['graphql']
}
const THEIRS = /^@opentelemetry\/instrumentation-([\w.-]+)$/

export interface ForeignNames {
  /** Whether spans of the tracer of this name would be doubles. Says so the first time, all of a tick in one line. */
  isDouble(tracerName: string): boolean
}

export function createForeignNames(usages: readonly Usage[], notify: Notify): ForeignNames {
  const said = new Set<string>()
  /** Theirs → ours, until the end of the tick: an SDK registers thirty of them in one go. */
  let unsaid: [string, readonly string[]][] = []
  const say = () => {
    const ours = new Set(unsaid.flatMap(([, names]) => names))
    notify('INSTRUMENT_TWICE', unsaid.map(([name]) => name).join(', '), [...ours].join(','))
    unsaid = []
  }
  return {
    isDouble(tracerName) {
      const word = THEIRS.exec(tracerName)?.[1]
      if (word === undefined) return false
      const names = OURS[word] ?? [word]
      const ours = usages.filter(
        ({ entry }) => names.includes(entry.name) && makesSpans(entry.span)
      )
      if (ours.length === 0) return false
      if (!said.has(tracerName)) {
        said.add(tracerName)
        if (unsaid.length === 0) process.nextTick(say)
        unsaid.push([tracerName, ours.map(({ entry }) => entry.name)])
      }
      return true
    }
  }
}

/** An instrumentation that only names the server's span leaves theirs to make its own. */
function makesSpans(span: string): boolean {
  return !span.startsWith('no span')
}
