/** The API, without side effects. Importing `@spanloom/tracer/register` starts the tracer. */
export type { Done, OwnApi, User, WrapOptions } from './api.ts'
export type { SpanExporter } from './batch-exporter.ts'
export type {
  ForeignSpanExporter,
  ForeignSpanProcessor,
  Sampler,
  SpanProcessor
} from './compat.ts'
export { readConfig, type TracerConfig } from './config/config.ts'
export type { ForeignInstrumentation } from './instrument/foreign.ts'
export { type NoticeCode, type Notify, notifyStderr } from './notices.ts'
export { type SpanloomTracer, startTracer } from './sdk.ts'
