/** OTLP on the wire: write, check, scan and decode trace payloads; the words and keys they use. */
export { checkTraces, type TracesCheck } from './check.ts'
export {
  type DecodedEvent,
  type DecodedLink,
  type DecodedResource,
  type DecodedScope,
  type DecodedSpan,
  decodeResource,
  decodeScope,
  decodeSpan
} from './decode.ts'
export {
  bucketOf,
  bucketOfCell,
  cellOf,
  DURATION_BOUNDS_MS,
  DURATION_BUCKET_COUNT,
  DURATION_CELL_COUNT,
  LOG_INDEX_MAX,
  logIndexOf
} from './durations.ts'
export { OtlpError, type OtlpErrorCode } from './errors.ts'
export type { KeyText } from './field-reader.ts'
export {
  formatHeadRate,
  HEAD_RATE_HEADER,
  headRateFor,
  headRateName,
  readHeadRate
} from './head-rates.ts'
export {
  hexOfWords,
  SPAN_ID_WORDS,
  spanIdOfRow,
  TRACE_ID_WORDS,
  traceIdOfRow,
  wordsOfHex
} from './ids.ts'
export { tracesJsonToProtobuf } from './json.ts'
export { metricsJsonToProtobuf } from './json-metrics.ts'
export { VALUE_DEPTH_MAX } from './messages.ts'
export {
  type DecodedMetric,
  type DecodedMetrics,
  type DecodedPoint,
  decodeMetrics,
  type MetricType,
  Temporality
} from './metrics.ts'
export { createScanner, type Scanner, UNKNOWN_SERVICE } from './scan.ts'
export {
  CLIENT_ADDRESS,
  CLIENT_PORT,
  CODE_FUNCTION_NAME,
  CONTAINER_ID,
  DB_COLLECTION_NAME,
  DB_NAME,
  DB_NAMESPACE,
  DB_OPERATION,
  DB_OPERATION_BATCH_SIZE,
  DB_OPERATION_NAME,
  DB_QUERY_SUMMARY,
  DB_QUERY_TEXT,
  DB_RESPONSE_STATUS_CODE,
  DB_STATEMENT,
  DB_SYSTEM,
  DB_SYSTEM_NAME,
  DEPLOYMENT_ENVIRONMENT,
  DEPLOYMENT_ENVIRONMENT_NAME,
  ERROR_TYPE,
  EXCEPTION_EVENT,
  EXCEPTION_MESSAGE,
  EXCEPTION_STACKTRACE,
  EXCEPTION_TYPE,
  HOST_ARCH,
  HOST_NAME,
  HTTP_HOST,
  HTTP_METHOD,
  HTTP_REQUEST_BODY_SIZE,
  HTTP_REQUEST_METHOD,
  HTTP_REQUEST_METHOD_ORIGINAL,
  HTTP_REQUEST_RESEND_COUNT,
  HTTP_RESPONSE_BODY_SIZE,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  HTTP_SCHEME,
  HTTP_STATUS_CODE,
  HTTP_TARGET,
  HTTP_URL,
  MESSAGING_BATCH_MESSAGE_COUNT,
  MESSAGING_CONSUMER_GROUP_NAME,
  MESSAGING_DESTINATION_NAME,
  MESSAGING_MESSAGE_ID,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  MESSAGING_SYSTEM,
  NET_PEER_NAME,
  NET_PEER_PORT,
  NETWORK_PEER_ADDRESS,
  NETWORK_PEER_PORT,
  NETWORK_PROTOCOL_NAME,
  NETWORK_PROTOCOL_VERSION,
  NETWORK_TRANSPORT,
  OS_TYPE,
  OS_VERSION,
  PEER_SERVICE,
  PROCESS_COMMAND,
  PROCESS_COMMAND_ARGS,
  PROCESS_EXECUTABLE_NAME,
  PROCESS_EXECUTABLE_PATH,
  PROCESS_OWNER,
  PROCESS_PID,
  PROCESS_RUNTIME_DESCRIPTION,
  PROCESS_RUNTIME_NAME,
  PROCESS_RUNTIME_VERSION,
  RPC_GRPC_STATUS_CODE,
  RPC_METHOD,
  RPC_SERVICE,
  RPC_SYSTEM,
  SERVER_ADDRESS,
  SERVER_PORT,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  SERVICE_NAMESPACE,
  SERVICE_VERSION,
  TELEMETRY_DISTRO_NAME,
  TELEMETRY_DISTRO_VERSION,
  TELEMETRY_SDK_LANGUAGE,
  TELEMETRY_SDK_NAME,
  TELEMETRY_SDK_VERSION,
  THREAD_ID,
  URL_FULL,
  URL_PATH,
  URL_QUERY,
  URL_SCHEME,
  USER_AGENT_ORIGINAL
} from './semconv.ts'
export type { SpanRows } from './span-rows.ts'
export {
  isCountedKind,
  METRIC_OVERFLOW,
  packCells,
  readSpanStats,
  SPAN_KIND,
  SPAN_NAME,
  SPAN_STATS_METRIC,
  SPANS_COUNTED,
  type SpanStats,
  type SpanStatsPoint,
  STATS_CELLS,
  STATS_SEQUENCE,
  STATS_STREAM,
  STATUS_CODE
} from './span-stats.ts'
export {
  NO_STRING,
  OVERFLOW_STRING,
  OVERFLOW_TEXT,
  StringTable,
  type StringTableLimits
} from './string-table.ts'
export { hexAt } from './text.ts'
export { PAYLOAD_BYTES_MAX } from './wire-reader.ts'
export { SLOT_LENGTH_MAX, WireWriter } from './wire-writer.ts'
export {
  SPAN_KIND_NAMES,
  SpanFlags,
  SpanKind,
  STATUS_CODE_NAMES,
  StatusCode
} from './words.ts'
