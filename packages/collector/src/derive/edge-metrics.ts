/**
 * The service graph's edges: who calls whom, how often, how often it failed, how long it took on
 * either side. Cumulative series for metric exporters, and a delta per time step for the rollups.
 */
import { bucketOf, logIndexOf } from '@spanloom/otlp'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { grown } from '../lib/grow.ts'
import type { NameTable } from '../lib/name-table.ts'
import type { EdgeSeriesColumns, Exemplar } from '../model/metrics-snapshot.ts'
import { ConnectionType, type Edge, NodeType } from './edges.ts'
import { HistogramSlab } from './histogram-columns.ts'
import { KeyTable } from './key-table.ts'
import { type RollupDelta, RollupTable, stepOf } from './rollup-table.ts'
import { OVERFLOW_NAME } from './span-metrics.ts'

/** The query API's words, by number. */
const NODE_TYPES = ['service', 'database', 'messaging', 'external', 'user'] as const
const CONNECTION_TYPES = ['http', 'database', 'messaging_system', 'virtual_node'] as const
/** Tempo's label: '' where the query API says http. */
const CONNECTION_LABELS = ['', 'database', 'messaging_system', 'virtual_node'] as const
const INITIAL_EDGES = 64

export interface EdgeRollupDelta extends Omit<RollupDelta, 'key'> {
  readonly clientType: (typeof NODE_TYPES)[number]
  readonly client: string
  readonly serverType: (typeof NODE_TYPES)[number]
  readonly server: string
  readonly connectionType: (typeof CONNECTION_TYPES)[number]
  readonly exampleTraceId: string
}

export class EdgeMetrics {
  edgesMax: number
  readonly #names: NameTable
  readonly #stepMs: number
  /** (client, server, types). */
  readonly #edges = new KeyTable()
  #calls = new Float64Array(INITIAL_EDGES)
  #failed = new Float64Array(INITIAL_EDGES)
  readonly #clientDurations = new HistogramSlab()
  readonly #serverDurations = new HistogramSlab()
  readonly #rollups = new RollupTable()
  /** Of this tick, by edge: a kept trace that went over it. */
  readonly #examples = new Map<number, string>()
  #overflow = -1

  constructor(names: NameTable, edgesMax: number, stepMs: number) {
    this.#names = names
    this.edgesMax = edgesMax
    this.#stepMs = stepMs
    this.#clientDurations.reserve(INITIAL_EDGES)
    this.#serverDurations.reserve(INITIAL_EDGES)
  }

  get seriesCount(): number {
    return this.#edges.count
  }

  get rollupCount(): number {
    return this.#rollups.count
  }

  /** Returns its series. `exampleTraceId` is '' when the trace is not kept. */
  count(edge: Edge, receivedUnixMs: number, exampleTraceId: string): number {
    const series = this.#seriesOf(edge)
    this.#calls[series]!++
    if (edge.failed) this.#failed[series]!++
    if (edge.clientDurationNano >= 0) {
      const bucket = bucketOf(edge.clientDurationNano)
      this.#clientDurations.add(series, bucket, edge.clientDurationNano)
    }
    const duration = edge.serverDurationNano
    this.#serverDurations.add(series, bucketOf(duration), duration)
    const step = stepOf(edge.endUnixMs, receivedUnixMs, this.#stepMs)
    this.#rollups.add(series, step, edge.failed, duration, logIndexOf(duration))
    if (exampleTraceId !== '' && !this.#examples.has(series)) {
      this.#examples.set(series, exampleTraceId)
    }
    return series
  }

  flush(visit: (delta: EdgeRollupDelta) => void): void {
    this.#rollups.flush(({ key, ...delta }) => {
      const types = this.#edges.third(key)
      visit({
        ...delta,
        clientType: NODE_TYPES[types & 7]!,
        client: this.#names.text(this.#edges.first(key)),
        serverType: NODE_TYPES[(types >> 3) & 7]!,
        server: this.#names.text(this.#edges.second(key)),
        connectionType: CONNECTION_TYPES[types >> 6]!,
        exampleTraceId: this.#examples.get(key) ?? ''
      })
    })
    this.#examples.clear()
  }

  columns(exemplars: readonly Exemplar[]): EdgeSeriesColumns {
    const all = Array.from({ length: this.#edges.count }, (_, edge) => edge)
    return {
      client: all.map((edge) => this.#names.text(this.#edges.first(edge))),
      server: all.map((edge) => this.#names.text(this.#edges.second(edge))),
      connectionType: all.map((edge) => CONNECTION_LABELS[this.#edges.third(edge) >> 6]!),
      calls: this.#calls.slice(0, all.length),
      failed: this.#failed.slice(0, all.length),
      clientDuration: this.#clientDurations.columns(all.length),
      serverDuration: this.#serverDurations.columns(all.length),
      exemplars,
      overflow: this.#overflow
    }
  }

  markNames(marks: Uint8Array): void {
    this.#edges.markNames(marks)
  }

  moveNames(moved: Int32Array): void {
    this.#edges.moveNames(moved)
  }

  write(writer: BinaryWriter): void {
    const count = this.#edges.count
    this.#edges.write(writer)
    writer.column(this.#calls, count)
    writer.column(this.#failed, count)
    this.#clientDurations.write(writer, count)
    this.#serverDurations.write(writer, count)
    writer.count(this.#overflow + 1)
  }

  read(reader: BinaryReader): void {
    this.#edges.read(reader)
    this.#calls = reader.floats()
    this.#failed = reader.floats()
    this.#clientDurations.read(reader)
    this.#serverDurations.read(reader)
    this.#overflow = reader.count() - 1
    this.#reserve(Math.max(INITIAL_EDGES, this.#edges.count))
  }

  #seriesOf(edge: Edge): number {
    const types = edge.clientType | (edge.serverType << 3) | (edge.connectionType << 6)
    const known = this.#edges.find(edge.client, edge.server, types)
    if (known >= 0) return known
    if (this.#edges.count < this.edgesMax) return this.#add(edge.client, edge.server, types)
    if (this.#overflow < 0) {
      const name = this.#names.idOf(OVERFLOW_NAME)
      const external = NodeType.EXTERNAL | (NodeType.EXTERNAL << 3)
      this.#overflow = this.#add(name, name, external | (ConnectionType.VIRTUAL_NODE << 6))
    }
    return this.#overflow
  }

  #add(client: number, server: number, types: number): number {
    const edge = this.#edges.add(client, server, types)
    if (edge === this.#calls.length) this.#reserve(edge * 2)
    return edge
  }

  #reserve(length: number): void {
    this.#calls = grown(this.#calls, length)
    this.#failed = grown(this.#failed, length)
    this.#clientDurations.reserve(length)
    this.#serverDurations.reserve(length)
  }
}
