/** Whether spans are counted in this process. The counter's code is loaded when counting begins: it goes on for good. */
import { requireOwn } from '../lib/own-file.ts'
import type { RecordingSpan } from '../trace/span.ts'
import type { SpanStats, SpanStatsParts } from './span-stats.ts'

export class Counting {
  readonly #parts: SpanStatsParts
  #stats: SpanStats | undefined = undefined

  constructor(parts: SpanStatsParts) {
    this.#parts = parts
  }

  start(): void {
    const { SpanStats } = requireOwn<typeof import('./span-stats.ts')>('stats/span-stats')
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
