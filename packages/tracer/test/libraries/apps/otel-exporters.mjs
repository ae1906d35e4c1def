// The SDK 3's processors and exporters on the tracer; prints what each of them got.
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  SimpleSpanProcessor
} from '@opentelemetry/sdk-trace'
import tracer from '@spanloom/tracer/register'

const batched = new InMemorySpanExporter()
const simple = new InMemorySpanExporter()
const exported = new InMemorySpanExporter()
tracer.addSpanProcessor(new BatchSpanProcessor({ exporter: batched }))
tracer.addSpanProcessor(new SimpleSpanProcessor({ exporter: simple }))
tracer.addSpanExporter(exported)
tracer.addSpanExporter(new ConsoleSpanExporter())
tracer.addSpanProcessor({
  onStart() {},
  onEnding: (span) => span.setAttribute('ending', true),
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {}
})

trace.getTracer('app', '1.2').startActiveSpan('outer', (span) => {
  tracer.trace('inner', () => {})
  span.end()
})
const key = createContextKey('k')
const token = context.attach(ROOT_CONTEXT.setValue(key, 'attached'))
const attached = context.active().getValue(key)
token.dispose()

await tracer.flush()
const shown = (exporter) =>
  exporter.getFinishedSpans().map(({ name, attributes, instrumentationScope }) => ({
    name,
    ending: attributes.ending,
    scope: instrumentationScope.name
  }))
console.log(
  `RESULT ${JSON.stringify({
    attached,
    after: context.active().getValue(key) ?? null,
    batched: shown(batched),
    simple: shown(simple),
    exported: shown(exported)
  })}`
)
tracer.trace('at the end', () => {})
await tracer.shutdown()
tracer.trace('after the end', () => {})
await tracer.flush()
console.log('done')
