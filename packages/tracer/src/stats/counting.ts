/** Whether spans are counted in this process. The counter's code is loaded when counting begins: it goes on for good. */
import { createRequire } from 'node:module'
import type { RecordingSpan } from '../trace/span.ts'
import type { SpanStats, SpanStatsParts } from './span-stats.ts'

const requireCode = createRequire(import.meta.url)
const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

export class Counting {
  readonly #parts: SpanStatsParts
  #stats: SpanStats | undefined = undefined

  constructor(parts: SpanStatsParts) {
    this.#parts = parts
  }

  start(): void {
    const { SpanStats } = requireCode(`./span-stats.${ending}`) as typeof import('./span-stats.ts')
    this.#stats ??= new SpanStats(this.#parts)
  }

  get isOn(): boolean {
    return this.#stats !== undefined
  }

  /** @hot */
  count(span: RecordingSpan): void {
    this.#stats?.count(span)
  }

  flush(): void {
    this.#stats?.flush()
  }
}
