import { ROOT_CONTEXT } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { requestFrame } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import { testTracer } from '../tracer.testkit.ts'
import { SLOW_MS } from './middleware.ts'
import { type LayerSpans, ServerRequest } from './server-request.ts'

const session = { name: 'session' }
const parser = { name: 'parser' }

let nowMs: number
let made: unknown[][]
let spans: LayerSpans

beforeEach(() => {
  nowMs = 1_000
  made = []
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  spans = {
    slowMs: SLOW_MS,
    make: (_server, layer, startMs, endMs, error) => void made.push([layer, startMs, endMs, error])
  }
})
afterEach(() => {
  vi.restoreAllMocks()
})

function serverRequest(sampler?: 'always_off'): ServerRequest {
  const span = testTracer({}, sampler).tracer.startSpan('GET', {}, ROOT_CONTEXT) as RecordingSpan
  return new ServerRequest(span, requestFrame(span, undefined), 'GET')
}

describe('the middleware of a request', () => {
  it('has a span from the slow limit on, and none below', () => {
    const server = serverRequest()
    server.enterLayer(session, spans)
    nowMs += SLOW_MS - 0.25
    server.enterLayer(parser, spans)
    expect(made).toEqual([])
    nowMs += SLOW_MS
    server.leaveLayer()
    expect(made).toEqual([[parser, 1_004.75, 1_009.75, undefined]])
    nowMs += SLOW_MS
    server.leaveLayer()
    server.end(200)
    expect(made).toHaveLength(1)
  })

  it('has a span when it fails, however fast', () => {
    const server = serverRequest()
    const error = new Error('refused')
    server.enterLayer(session, spans)
    server.leaveLayer(error)
    server.leaveLayer(error)
    expect(made).toEqual([[session, 1_000, 1_000, error]])
  })

  it('ends with the response at the latest', () => {
    const server = serverRequest()
    server.enterLayer(session, spans)
    nowMs += SLOW_MS
    server.end(200)
    expect(made).toEqual([[session, 1_000, 1_005, undefined]])
  })

  it('has none in a trace that is not sampled', () => {
    const server = serverRequest('always_off')
    expect(server.span).not.toBeInstanceOf(RecordingSpan)
    server.enterLayer(session, spans)
    nowMs += SLOW_MS
    server.leaveLayer(new Error('refused'))
    expect(made).toEqual([])
  })
})
