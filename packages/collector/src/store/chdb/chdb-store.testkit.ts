/** A store on the embedded engine for tests, and its engine's side door. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATABASE, TABLE_NAMES } from '../clickhouse/schema.ts'
import { SqlMetricStore } from '../clickhouse/sql-metric-store.ts'
import { SqlSpanStore } from '../clickhouse/sql-span-store.ts'
import type { MetricStore } from '../metric-store.ts'
import type { StoreUnderTest } from '../store.contract.testkit.ts'
import { EngineHost } from './engine-host.ts'

class TestStore extends SqlSpanStore {
  readonly #metrics: SqlMetricStore

  constructor(host: EngineHost) {
    super(host)
    this.#metrics = new SqlMetricStore((sql, signal) => host.select(sql, signal))
  }

  services: MetricStore['services'] = (...question) => this.#metrics.services(...question)
  operations: MetricStore['operations'] = (...question) => this.#metrics.operations(...question)
  edges: MetricStore['edges'] = (...question) => this.#metrics.edges(...question)
}

export function testDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'spanloom-store-'))
}

export async function openChdbStore(): Promise<StoreUnderTest> {
  const dataDir = await testDir()
  const host = new EngineHost(dataDir, () => {})
  const store = new TestStore(host)
  await store.open(new AbortController().signal)
  return {
    store,
    async merge() {
      for (const table of TABLE_NAMES)
        await host.command(`OPTIMIZE TABLE ${DATABASE}.${table} FINAL`)
    },
    async remove() {
      await store.close()
      await rm(dataDir, { recursive: true })
    }
  }
}
