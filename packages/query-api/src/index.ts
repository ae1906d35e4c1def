/**
 * What the collector serves and the UI asks. Both import this package and not each other, so a
 * change that one side does not follow fails to compile.
 */
export { createQueryClient, type QueryClient, QueryError } from './client.ts'
export {
  type ErrorBody,
  LIMITS,
  type Param,
  type ParamProblem,
  type Params,
  type ParamsOf,
  parseParams
} from './params.ts'
export { ROUTES, type RouteAnswers, type RouteName, type RouteParams } from './routes.ts'
export type {
  ConnectionType,
  GraphEdge,
  GraphNode,
  GraphResponse,
  LatencyMs,
  NodeType,
  OpenSpanRow,
  OpenSpansResponse,
  OperationRow,
  OperationsResponse,
  ServiceRow,
  ServicesResponse,
  SpanEvent,
  SpanKind,
  SpanLink,
  SpanStatus,
  SparklinePoint,
  StatusResponse,
  TraceResponse,
  TraceSpan,
  TraceSummary,
  TracesResponse
} from './shapes.ts'
