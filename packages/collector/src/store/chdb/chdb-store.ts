/** The store on the embedded engine: both ports over one child process, and retention. */
import { SqlMetricStore } from '../clickhouse/sql-metric-store.ts'
import { SqlSpanStore } from '../clickhouse/sql-span-store.ts'
import type { MetricStore } from '../metric-store.ts'
import type { SpanStore } from '../span-store.ts'
import { EngineHost } from './engine-host.ts'

const HOUR_MS = 3_600_000

export interface ChdbStoreOptions {
  /** The store's own directory; created when it is not there. */
  readonly dataDir: string
  /** See STORE_OPTIONS. */
  readonly retentionHours: number
  readonly nowUnixMs: () => number
  /** Hears what an operator should know: the engine ended and is started again, a failed drop. */
  readonly report?: (sentence: string) => void
}

export interface ChdbStore extends SpanStore, MetricStore {
  /** Drops what is older than the retention, now; else it happens at open and once an hour. */
  applyRetention(): Promise<void>
  /** The engine's process, for measuring what it costs; undefined while it is down. */
  readonly enginePid: number | undefined
}

export function createChdbStore(options: ChdbStoreOptions): ChdbStore {
  return new Store(options)
}

class Store extends SqlSpanStore implements ChdbStore {
  readonly #options: ChdbStoreOptions
  readonly #host: EngineHost
  readonly #metrics: SqlMetricStore
  #retentionTimer: NodeJS.Timeout | undefined

  constructor(options: ChdbStoreOptions) {
    const report = options.report ?? (() => {})
    const host = new EngineHost(options.dataDir, (reason) => {
      report(`The store's engine stopped and is started again: ${reason}`)
    })
    super(host)
    this.#options = options
    this.#host = host
    this.#metrics = new SqlMetricStore((sql, signal) => host.select(sql, signal))
  }

  get enginePid(): number | undefined {
    return this.#host.pid
  }

  override async open(signal: AbortSignal): Promise<void> {
    await super.open(signal)
    await this.applyRetention()
    this.#retentionTimer = setInterval(() => void this.applyRetention(), HOUR_MS).unref()
  }

  override async close(): Promise<void> {
    clearInterval(this.#retentionTimer)
    await super.close()
  }

  /** A drop that fails is tried again in an hour. */
  async applyRetention(): Promise<void> {
    const { nowUnixMs, retentionHours, report } = this.#options
    try {
      await this.dropExpired(nowUnixMs() - retentionHours * HOUR_MS)
    } catch (error) {
      report?.(`Expired data could not be dropped: ${(error as Error).message}`)
    }
  }

  services: MetricStore['services'] = (...question) => this.#metrics.services(...question)
  operations: MetricStore['operations'] = (...question) => this.#metrics.operations(...question)
  edges: MetricStore['edges'] = (...question) => this.#metrics.edges(...question)
}
