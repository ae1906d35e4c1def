/**
 * The edges of a whole trace. Each call is one edge, counted once, when its trace is decided:
 *
 *   client span ──→ server child(ren)     service → service, one edge for each child
 *   client span ──→ nothing               → database, queue, or whatever address it names
 *   nothing ──→ server span, a root       user → service
 *   something lost ──→ server span        unknown → service; the pair was waited for: expired
 *
 * Producer and consumer spans pair like client and server. In a late entry the lost parent was
 * counted with its own trace, so there is no edge, but the pair has expired all the same.
 * Span links (batch consumers) do not pair yet.
 */
import { type CollapsedCalls, SpanKind, StatusCode } from '@spanloom/otlp'
import {
  NO_CALLS,
  NO_PARENT,
  PARENT_MISSING,
  PeerType,
  type StitchedTrace,
  type TraceCalls
} from '../model/stitched-trace.ts'

export const NodeType = { SERVICE: 0, DATABASE: 1, MESSAGING: 2, EXTERNAL: 3, USER: 4 } as const
export const ConnectionType = { HTTP: 0, DATABASE: 1, MESSAGING: 2, VIRTUAL_NODE: 3 } as const

/** Borrowed: the same object for each edge. */
export interface Edge {
  clientType: number
  /** Names, by id. */
  client: number
  serverType: number
  server: number
  connectionType: number
  failed: boolean
  /** -1 when the caller is not known. */
  clientDurationNano: number
  /** The caller's where only that is known. */
  serverDurationNano: number
  /** When the called side was done. */
  endUnixMs: number
  /** The span that an exemplar of this edge points to. */
  span: number
}

export class EdgeFinder {
  readonly #edge: Edge = {
    clientType: 0,
    client: 0,
    serverType: 0,
    server: 0,
    connectionType: 0,
    failed: false,
    clientDurationNano: 0,
    serverDurationNano: 0,
    endUnixMs: 0,
    span: 0
  }
  #answered = new Uint8Array(64)

  /** Visits each edge, and those of collapsed spans once for each call; returns how many pairs expired. `user` and `unknown` are names, by id. */
  find(
    trace: StitchedTrace,
    user: number,
    unknown: number,
    visit: (edge: Edge) => void,
    calls: TraceCalls = NO_CALLS
  ): number {
    if (this.#answered.length < trace.count) this.#answered = new Uint8Array(trace.count * 2)
    this.#answered.fill(0, 0, trace.count)
    let expired = 0
    for (let span = 0; span < trace.count; span++) {
      const kind = trace.kind[span]!
      if (kind !== SpanKind.SERVER && kind !== SpanKind.CONSUMER) continue
      const parent = trace.parent[span]!
      if (parent >= 0) {
        if (!isCaller(trace.kind[parent]!)) continue
        this.#answered[parent] = 1
        visit(this.#call(trace, parent, span))
      } else if (kind === SpanKind.SERVER) {
        if (parent === PARENT_MISSING) expired++
        if (parent === NO_PARENT) visit(this.#entry(trace, span, NodeType.USER, user))
        else if (!trace.late) visit(this.#entry(trace, span, NodeType.EXTERNAL, unknown))
      }
    }
    for (let span = 0; span < trace.count; span++) {
      if (!isCaller(trace.kind[span]!) || this.#answered[span] !== 0) continue
      const edge = this.#exit(trace, span)
      const collapsed = calls.get(span)
      if (collapsed === undefined) visit(edge)
      else this.#eachCall(trace.startUnixMs[span]!, edge, collapsed, visit)
    }
    return expired
  }

  #eachCall(
    startUnixMs: number,
    edge: Edge,
    { count, startNano, durationNano }: CollapsedCalls,
    visit: (edge: Edge) => void
  ): void {
    for (let call = 0; call < count; call++) {
      edge.clientDurationNano = durationNano[call]!
      edge.serverDurationNano = durationNano[call]!
      edge.endUnixMs = startUnixMs + (startNano[call]! + durationNano[call]!) / 1e6
      visit(edge)
    }
  }

  #call(trace: StitchedTrace, client: number, server: number): Edge {
    const messaging =
      trace.kind[client] === SpanKind.PRODUCER || trace.kind[server] === SpanKind.CONSUMER
    const edge = this.#measure(trace, server)
    edge.clientType = NodeType.SERVICE
    edge.client = trace.service[client]!
    edge.connectionType = messaging ? ConnectionType.MESSAGING : ConnectionType.HTTP
    edge.clientDurationNano = trace.durationNano[client]!
    if (trace.status[client] === StatusCode.ERROR) edge.failed = true
    return edge
  }

  #entry(trace: StitchedTrace, server: number, clientType: number, client: number): Edge {
    const edge = this.#measure(trace, server)
    edge.clientType = clientType
    edge.client = client
    edge.connectionType = ConnectionType.VIRTUAL_NODE
    edge.clientDurationNano = -1
    return edge
  }

  #exit(trace: StitchedTrace, client: number): Edge {
    const edge = this.#measure(trace, client)
    edge.clientType = NodeType.SERVICE
    edge.client = trace.service[client]!
    edge.clientDurationNano = trace.durationNano[client]!
    edge.server = trace.peerName[client]!
    switch (trace.peerType[client]) {
      case PeerType.DATABASE:
        edge.serverType = NodeType.DATABASE
        edge.connectionType = ConnectionType.DATABASE
        break
      case PeerType.MESSAGING:
        edge.serverType = NodeType.MESSAGING
        edge.connectionType = ConnectionType.MESSAGING
        break
      default:
        edge.serverType = NodeType.EXTERNAL
        edge.connectionType = ConnectionType.VIRTUAL_NODE
    }
    return edge
  }

  /** The called side, as far as `span` knows it. */
  #measure(trace: StitchedTrace, span: number): Edge {
    const edge = this.#edge
    edge.serverType = NodeType.SERVICE
    edge.server = trace.service[span]!
    edge.failed = trace.status[span] === StatusCode.ERROR
    edge.serverDurationNano = trace.durationNano[span]!
    edge.endUnixMs = trace.startUnixMs[span]! + trace.durationNano[span]! / 1e6
    edge.span = span
    return edge
  }
}

function isCaller(kind: number): boolean {
  return kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER
}
