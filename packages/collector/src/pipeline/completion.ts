/**
 * What happens to a trace when it is decided, in order:
 *
 *   take from stitch ─→ decide ─→ edges ─→ self times ─→ encode for the store ─→ let go
 *
 * A late entry follows the decision already taken. A trace that is not kept gives edges like any
 * other; only what is shown or stored of it needs it kept.
 */
import { bucketOf, type CollapsedCalls, hexOfWords, readCollapsedCalls } from '@spanloom/otlp'
import type { Edge } from '../derive/edges.ts'
import type { SelfTimes } from '../derive/self-time.ts'
import {
  NO_CALLS,
  NO_PARENT,
  type StitchedTrace,
  type TraceCalls
} from '../model/stitched-trace.ts'
import type { TailDecision } from '../sample/policies.ts'
import { GROUP_NUMBERS } from '../stitch/payload-table.ts'
import type { KeptSpan, KeptTrace } from '../store/batch-encoder.ts'
import type { BatchCutter } from './batch-cutter.ts'
import type { InflatedPayloads } from './inflated-payloads.ts'
import type { Stages } from './stages.ts'

const STATUS_ERROR = 2

export interface CompletionCounts {
  edgesExpired: number
  tracesCompleted: number
  spansDropped: number
}

export class Completion {
  readonly #stages: Stages
  readonly #payloads: InflatedPayloads
  readonly #batches: BatchCutter
  readonly #counts: CompletionCounts
  /** Of the trace at hand; fields, so that no closure is made per trace. */
  #trace: StitchedTrace | undefined
  #traceId = ''
  #sampled = false
  #receivedUnixMs = 0
  readonly #visitEdge = (edge: Edge): void => this.#countEdge(edge)

  constructor(
    stages: Stages,
    payloads: InflatedPayloads,
    batches: BatchCutter,
    counts: CompletionCounts
  ) {
    this.#stages = stages
    this.#payloads = payloads
    this.#batches = batches
    this.#counts = counts
  }

  /** `row` is the trace's in the stitcher; `receivedUnixMs` that of the record at hand. */
  complete(row: number, receivedUnixMs: number, batchSpansMax: number): void {
    const { stitcher, decisions, edgeFinder, selfTimes, tail } = this.#stages
    const trace = stitcher.take(row)
    const decision = trace.late ? decisions.at(trace.decision) : tail(trace)
    this.#trace = trace
    this.#traceId = hexOfWords(trace.traceId, 0, 4)
    this.#sampled = decision.sampled
    this.#receivedUnixMs = receivedUnixMs
    const { userName, unknownName } = this.#stages.fixedNames()
    const calls = trace.collapsedCount === 0 ? NO_CALLS : this.#callsOf(trace)
    const expired = edgeFinder.find(trace, userName, unknownName, this.#visitEdge, calls)
    this.#counts.edgesExpired += expired
    if (!trace.late) this.#counts.tracesCompleted++
    if (decision.sampled) {
      selfTimes.compute(trace, calls)
      this.#offerSpans(trace, calls)
      const kept = this.#keep(trace, decision, selfTimes)
      this.#counts.spansDropped += this.#batches.addTrace(kept, batchSpansMax, receivedUnixMs)
    }
    stitcher.letGo(trace.late ? trace.decision : decisions.numberOf(decision))
  }

  /** Read again from the payload: only the few spans that are collapsed pay for it. */
  #callsOf(trace: StitchedTrace): TraceCalls {
    const calls = new Map<number, CollapsedCalls>()
    for (let span = 0; span < trace.count; span++) {
      if (trace.collapsed[span] === 0) continue
      const payload = this.#payloads.of(this.#stages.stitcher.payload(trace.payload[span]!))
      const read = readCollapsedCalls(payload, trace.spanOffset[span]!, trace.spanLength[span]!)
      if (read !== undefined) calls.set(span, read)
    }
    return calls
  }

  #countEdge(edge: Edge): void {
    const { edgeMetrics, edgeExemplars } = this.#stages
    const example = this.#sampled ? this.#traceId : ''
    const series = edgeMetrics.count(edge, this.#receivedUnixMs, example)
    if (!this.#sampled) return
    const bucket = bucketOf(edge.serverDurationNano)
    if (edgeExemplars.wants(series, bucket)) {
      edgeExemplars.offer(series, bucket, this.#exemplar(edge.span, edge.serverDurationNano))
    }
  }

  #offerSpans(trace: StitchedTrace, calls: TraceCalls): void {
    const { spanExemplars } = this.#stages
    for (let span = 0; span < trace.count; span++) {
      // From its start to its end it is no call that was counted.
      if (calls.has(span)) continue
      const series = trace.series[span]!
      const bucket = bucketOf(trace.durationNano[span]!)
      if (spanExemplars.wants(series, bucket)) {
        spanExemplars.offer(series, bucket, this.#exemplar(span, trace.durationNano[span]!))
      }
    }
  }

  #exemplar(span: number, durationNano: number) {
    const trace = this.#trace!
    const durationMs = durationNano / 1e6
    return {
      traceId: this.#traceId,
      spanId: hex8(trace.spanIdHigh[span]!) + hex8(trace.spanIdLow[span]!),
      valueMs: durationMs,
      unixMs: trace.startUnixMs[span]! + durationMs
    }
  }

  #keep(trace: StitchedTrace, decision: TailDecision, selfTimes: SelfTimes): KeptTrace {
    const { names } = this.#stages
    let root = -1
    let earliest = 0
    let endUnixMs = Number.NEGATIVE_INFINITY
    let errorCount = 0
    const services = new Set<number>()
    const spans: KeptSpan[] = []
    for (let span = 0; span < trace.count; span++) {
      const start = trace.startUnixMs[span]!
      const isRoot = trace.parent[span] === NO_PARENT
      if (isRoot && (root < 0 || start < trace.startUnixMs[root]!)) root = span
      if (start < trace.startUnixMs[earliest]!) earliest = span
      endUnixMs = Math.max(endUnixMs, start + trace.durationNano[span]! / 1e6)
      if (trace.status[span] === STATUS_ERROR) errorCount++
      services.add(trace.service[span]!)
      spans.push(this.#span(trace, span, selfTimes.nano[span]!))
    }
    const head = root < 0 ? earliest : root
    const startUnixMs = trace.startUnixMs[earliest]!
    return {
      traceId: this.#traceId,
      rootService: names.text(trace.service[head]!),
      rootOperation: names.text(trace.name[head]!),
      rootStatus: trace.status[head]!,
      startUnixMs,
      // A trace of one span is as long as that span, to the nanosecond.
      durationNano:
        trace.count === 1 ? trace.durationNano[0]! : Math.round((endUnixMs - startUnixMs) * 1e6),
      errorCount,
      services: [...services].map((service) => names.text(service)),
      spans,
      late: trace.late,
      keepReason: decision.policyName,
      weight: decision.weight
    }
  }

  #span(trace: StitchedTrace, span: number, selfTimeNano: number): KeptSpan {
    const payload = this.#stages.stitcher.payload(trace.payload[span]!)
    const group = trace.group[span]! * GROUP_NUMBERS
    return {
      payload: this.#payloads.of(payload),
      spanOffset: trace.spanOffset[span]!,
      spanLength: trace.spanLength[span]!,
      resourceOffset: payload.groups[group]!,
      resourceLength: payload.groups[group + 1]!,
      scopeOffset: payload.groups[group + 2]!,
      scopeLength: payload.groups[group + 3]!,
      service: this.#stages.names.text(trace.service[span]!),
      selfTimeNano
    }
  }
}

function hex8(word: number): string {
  return word.toString(16).padStart(8, '0')
}
