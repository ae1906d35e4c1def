// Got before the tracer starts, from the copy that an `import` loads.
import { trace } from '@opentelemetry/api'

const early = trace.getTracer('early')
const { default: tracer } = await import('@spanloom/tracer/register')
while (!early.startSpan('probe').isRecording()) await new Promise((done) => setTimeout(done, 5))
early.startSpan('early', { attributes: { seen: true } }).end()
await tracer.flush()
