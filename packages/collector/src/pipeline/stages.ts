/** The stages of one shard with what they own: made, saved, restored and compacted together. */
import { DeltaStreams } from '../derive/delta-streams.ts'
import { EdgeMetrics } from '../derive/edge-metrics.ts'
import { EdgeFinder } from '../derive/edges.ts'
import { PeerReader, UNKNOWN_PEER } from '../derive/peer.ts'
import { SelfTimes } from '../derive/self-time.ts'
import { SpanMetrics } from '../derive/span-metrics.ts'
import type { BinaryReader, BinaryWriter } from '../lib/binary.ts'
import { NameTable } from '../lib/name-table.ts'
import { DecisionTable } from '../sample/decisions.ts'
import { Exemplars } from '../sample/exemplars.ts'
import { compilePolicies, type PolicyConfig } from '../sample/policies.ts'
import { PayloadScanner } from '../scan/payload-scanner.ts'
import { Stitcher } from '../stitch/stitcher.ts'
import { ROLLUP_STEP_MS } from '../store/batch-encoder.ts'
import type { ShardOptions } from './options.ts'

/** Whoever calls a service without a trace context; Tempo's word. */
const USER = 'user'

/** Below this many names, holding those that nobody uses costs nothing worth the work. */
const NAMES_KEPT_MIN = 16_384

export class Stages {
  readonly names = new NameTable()
  readonly scanner = new PayloadScanner(this.names)
  readonly peers = new PeerReader(this.scanner, (text) => this.names.idOf(text))
  readonly stitcher: Stitcher
  readonly spanMetrics: SpanMetrics
  readonly edgeMetrics: EdgeMetrics
  readonly deltaStreams = new DeltaStreams()
  readonly edgeFinder = new EdgeFinder()
  readonly selfTimes = new SelfTimes()
  readonly tail: ReturnType<typeof compilePolicies>
  readonly decisions = new DecisionTable()
  readonly spanExemplars = new Exemplars()
  readonly edgeExemplars = new Exemplars()
  #compactAt = NAMES_KEPT_MIN

  constructor(options: ShardOptions, policies: readonly PolicyConfig[]) {
    this.stitcher = new Stitcher(options)
    this.spanMetrics = new SpanMetrics(this.names, options.seriesMax, ROLLUP_STEP_MS)
    this.edgeMetrics = new EdgeMetrics(this.names, options.edgesMax, ROLLUP_STEP_MS)
    this.tail = compilePolicies(policies)
  }

  setOptions(options: ShardOptions): void {
    this.stitcher.setOptions(options)
    this.spanMetrics.seriesMax = options.seriesMax
    this.edgeMetrics.edgesMax = options.edgesMax
  }

  fixedNames(): { readonly userName: number; readonly unknownName: number } {
    return { userName: this.names.idOf(USER), unknownName: this.names.idOf(UNKNOWN_PEER) }
  }

  /** Lets go of names that no open span and no series uses, once they may be half of all. */
  compactNames(): void {
    if (this.names.size < this.#compactAt) return
    const marks = new Uint8Array(this.names.size)
    const users = [this.stitcher, this.spanMetrics, this.edgeMetrics]
    for (const user of users) user.markNames(marks)
    const moved = this.names.compact(marks)
    for (const user of users) user.moveNames(moved)
    this.scanner.forgetNames()
    this.#compactAt = Math.max(NAMES_KEPT_MIN, this.names.size * 2)
  }

  write(writer: BinaryWriter): void {
    writer.count(this.names.size)
    for (let name = 0; name < this.names.size; name++) writer.text(this.names.text(name))
    this.spanMetrics.write(writer)
    this.edgeMetrics.write(writer)
    this.decisions.write(writer)
    this.spanExemplars.write(writer)
    this.edgeExemplars.write(writer)
    this.deltaStreams.write(writer)
    this.stitcher.write(writer)
  }

  /** Into new stages. What the stitcher wrote about open traces is left to the reader. */
  read(reader: BinaryReader, hasDeltas: boolean): void {
    const count = reader.count()
    for (let name = 0; name < count; name++) this.names.idOf(reader.text())
    this.spanMetrics.read(reader)
    this.edgeMetrics.read(reader)
    this.decisions.read(reader)
    this.spanExemplars.read(reader)
    this.edgeExemplars.read(reader)
    if (hasDeltas) this.deltaStreams.read(reader)
    this.stitcher.read(reader)
  }
}
