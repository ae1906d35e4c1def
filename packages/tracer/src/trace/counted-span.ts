/**
 * A span that is not sampled and is recorded all the same, for what counts spans in this process: its
 * times, name, status and attributes. It is not encoded, and processors do not see it; to them it is
 * dropped, as it is to the trace. What no count is made of is not kept.
 */
import { RecordingSpan } from './span.ts'

export class CountedSpan extends RecordingSpan {
  override addEvent(): this {
    return this
  }
  override addLink(): this {
    return this
  }
  override recordException(): void {}
}
