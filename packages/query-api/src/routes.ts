/**
 * Every route, once: path, parameters, and by `RouteAnswers` what it answers. All are GET, all
 * answer JSON, all errors have the shape `ErrorBody`.
 */
import { LIMITS, type ParamsOf } from './params.ts'
import type {
  GraphResponse,
  OpenSpansResponse,
  OperationsResponse,
  ServicesResponse,
  StatusResponse,
  TraceResponse,
  TracesResponse
} from './shapes.ts'

/** 2100-01-01: a later time is a mistake in units. */
const UNIX_MS_MAX = 4_102_444_800_000
const HOUR_MS = 3_600_000

const WINDOW = {
  from: {
    type: 'number',
    min: 0,
    max: UNIX_MS_MAX,
    optional: true,
    says: 'Start of the window, Unix milliseconds. Default: 15 minutes before `to`.'
  },
  to: {
    type: 'number',
    min: 0,
    max: UNIX_MS_MAX,
    optional: true,
    says: 'End of the window, Unix milliseconds. Default: now.'
  }
} as const

const SERVICE = {
  type: 'text',
  maxChars: LIMITS.serviceNameChars,
  says: 'A service name, exactly as in `service.name`.'
} as const

export const ROUTES = {
  services: { path: '/api/services', params: WINDOW },
  operations: {
    path: '/api/operations',
    params: { ...WINDOW, service: { ...SERVICE, optional: false } }
  },
  graph: { path: '/api/graph', params: WINDOW },
  traces: {
    path: '/api/traces',
    params: {
      ...WINDOW,
      service: { ...SERVICE, optional: true },
      operation: {
        type: 'text',
        maxChars: LIMITS.operationChars,
        optional: true,
        says: 'A span name, exactly. With `service`, both must be of the same span.'
      },
      minDurationMs: {
        type: 'number',
        min: 0,
        max: HOUR_MS,
        optional: true,
        says: 'Spans (of the service and operation, else the whole trace) at least this long.'
      },
      maxDurationMs: {
        type: 'number',
        min: 0,
        max: HOUR_MS,
        optional: true,
        says: 'Spans (of the service and operation, else the whole trace) at most this long.'
      },
      status: {
        type: 'text',
        maxChars: 5,
        oneOf: ['error', 'ok'],
        optional: true,
        says: '`error`: a matching span has status error. `ok`: no span of the trace has.'
      },
      attribute: {
        type: 'list',
        maxChars: LIMITS.attributeChars,
        maxItems: LIMITS.attributesPerQuery,
        optional: true,
        says: '`key=value`, exactly; all must be on one span (or its resource). May be repeated.'
      },
      limit: {
        type: 'number',
        min: 1,
        max: LIMITS.tracesPerPage,
        optional: true,
        says: 'Traces per answer. Default: 20.'
      },
      cursor: {
        type: 'text',
        maxChars: LIMITS.cursorChars,
        optional: true,
        says: '`nextCursor` of the answer before.'
      }
    }
  },
  trace: {
    path: '/api/traces/:traceId',
    params: {
      traceId: { type: 'text', maxChars: 32, optional: false, says: 'The trace id, 32 hex digits.' }
    }
  },
  openSpans: { path: '/api/open-spans', params: {} },
  status: { path: '/api/status', params: {} }
} as const

export type RouteName = keyof typeof ROUTES
export type RouteParams<Name extends RouteName> = ParamsOf<(typeof ROUTES)[Name]['params']>

export interface RouteAnswers {
  services: ServicesResponse
  operations: OperationsResponse
  graph: GraphResponse
  traces: TracesResponse
  trace: TraceResponse
  openSpans: OpenSpansResponse
  status: StatusResponse
}
