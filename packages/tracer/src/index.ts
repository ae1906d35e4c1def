/** The API, without side effects. Importing `@spanloom/tracer/register` starts the tracer. */
export type { Sampler, SpanProcessor } from './compat.ts'
export { readConfig, type TracerConfig } from './config/config.ts'
export { type NoticeCode, type Notify, notifyStderr } from './notices.ts'
export { type SpanloomTracer, startTracer } from './sdk.ts'
