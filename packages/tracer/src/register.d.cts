// What `require` gives: the started tracer itself.
import type { SpanloomTracer } from './sdk.js' with { 'resolution-mode': 'import' }

declare const tracer: SpanloomTracer
export = tracer
