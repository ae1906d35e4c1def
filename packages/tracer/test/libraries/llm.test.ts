/** openai, @anthropic-ai/sdk, @google/genai and ai in all supported majors, against a fake of the models at the HTTP level. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

const CLIENT = 3

/** Answers as the models' servers do, with as much as the clients need. */
function fakeModels(): Server {
  return createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text)
    if (request.url!.includes('/models/')) {
      answerAsGoogle(request.url!, response)
      return
    }
    if (body.model === 'bad') {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":{"message":"no such model","code":"model_not_found"}}')
      return
    }
    if (body.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const event of request.url!.endsWith('/messages') ? MESSAGE_EVENTS : CHAT_EVENTS) {
        if ('type' in event) response.write(`event: ${event.type}\n`)
        response.write(`data: ${JSON.stringify(event)}\n\n`)
      }
      response.end(request.url!.endsWith('/messages') ? '' : 'data: [DONE]\n\n')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(ANSWERS[request.url!.split('/').at(-1)!]))
  })
}

function answerAsGoogle(url: string, response: ServerResponse): void {
  const [, model, method] = /models\/([\w-]+):(\w+)/.exec(url)!
  const isStream = method === 'streamGenerateContent'
  response.writeHead(model === 'bad' ? 400 : 200, {
    'content-type': isStream ? 'text/event-stream' : 'application/json'
  })
  if (model === 'bad') {
    response.end('{"error":{"code":400,"message":"no such model","status":"INVALID_ARGUMENT"}}')
  } else if (isStream) {
    for (const chunk of GOOGLE_CHUNKS) response.write(`data: ${JSON.stringify(chunk)}\r\n\r\n`)
    response.end()
  } else if (method === 'generateContent') response.end(JSON.stringify(GOOGLE_CHUNKS[1]))
  else response.end('{"embeddings":[{"values":[1]}]}')
}

const said = { content: { role: 'model', parts: [{ text: 'answer' }] } }
const GOOGLE_CHUNKS = [
  { responseId: 'g-1', modelVersion: 'gemini-3-2026', candidates: [said] },
  {
    responseId: 'g-1',
    modelVersion: 'gemini-3-2026',
    candidates: [{ ...said, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4, thoughtsTokenCount: 5 }
  }
]

const ANSWERS: Record<string, object> = {
  completions: {
    id: 'c-1',
    object: 'chat.completion',
    model: 'gpt-5-2026',
    choices: [
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'answer' } }
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  },
  embeddings: {
    object: 'list',
    model: 'embed-3',
    data: [{ object: 'embedding', index: 0, embedding: [1] }],
    usage: { prompt_tokens: 5, total_tokens: 5 }
  },
  responses: {
    id: 'r-1',
    object: 'response',
    status: 'completed',
    model: 'gpt-5-2026',
    output: [],
    usage: { input_tokens: 6, output_tokens: 7, total_tokens: 13 }
  },
  messages: {
    id: 'm-1',
    type: 'message',
    role: 'assistant',
    model: 'claude-1',
    content: [{ type: 'text', text: 'answer' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 8, output_tokens: 9 }
  }
}
const chunk = { id: 'c-2', object: 'chat.completion.chunk', model: 'gpt-5-2026' }
const CHAT_EVENTS = [
  { ...chunk, choices: [{ index: 0, delta: { content: 'an' }, finish_reason: null }] },
  { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'length' }] },
  { ...chunk, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }
]
const MESSAGE_EVENTS = [
  {
    type: 'message_start',
    message: {
      ...ANSWERS.messages,
      stop_reason: null,
      usage: { input_tokens: 8, output_tokens: 1 }
    }
  },
  { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 11 } },
  { type: 'message_stop' }
]

describe.skipIf(!librariesAreThere)('calls to models', () => {
  let models: Server

  beforeEach(async () => {
    models = fakeModels().listen(0, '127.0.0.1')
    await new Promise((resolve) => models.once('listening', resolve))
  })
  afterEach(async () => {
    models.closeAllConnections()
    await new Promise((resolve) => models.close(resolve))
  })
  const { sink, start } = tracedApps(LIBRARY_APPS)

  async function run(kind: string, name: string, path: string, env = {}): Promise<SinkSpan[]> {
    const port = (models.address() as AddressInfo).port
    const app = start('llm.mjs', {
      args: [kind, name, `http://127.0.0.1:${port}${path}`],
      env
    })
    await app.line(/done/)
    await app.ended()
    expect(app.stderr).not.toContain('INSTRUMENT_FAULT')
    expect(JSON.stringify(sink.spans, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).not.toMatch(
      /secret|answer/
    )
    return sink.spans.filter((span) => 'gen_ai.operation.name' in span.attributes)
  }

  it.each(['openai', 'openai6', 'openai5', 'openai4'])(
    '%s: each way to take an answer is one span',
    { timeout: 30_000 },
    async (name) => {
      const spans = await run('openai', name, '/v1')
      expect(spans.map((span) => [span.name, span.kind, span.status.code])).toEqual([
        ['chat gpt-5', CLIENT, 0],
        ['chat gpt-5', CLIENT, 0],
        ['chat gpt-5', CLIENT, 0],
        ['chat gpt-5', CLIENT, 0],
        ['embeddings embed-3', CLIENT, 0],
        ['chat gpt-5', CLIENT, 0],
        ['chat bad', CLIENT, 2]
      ])
      const [plain, streamed, , withResponse, embedding, response] = spans
      expect(plain!.attributes).toMatchObject({
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-5',
        'gen_ai.request.temperature': 0.5,
        'gen_ai.response.id': 'c-1',
        'gen_ai.response.model': 'gpt-5-2026',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.usage.input_tokens': 3,
        'gen_ai.usage.output_tokens': 4,
        'server.address': '127.0.0.1'
      })
      expect(streamed!.attributes).toMatchObject({
        'gen_ai.response.id': 'c-2',
        'gen_ai.response.finish_reasons': ['length'],
        'gen_ai.usage.output_tokens': 2
      })
      expect(withResponse!.attributes['gen_ai.usage.output_tokens']).toBe(4)
      expect(embedding!.attributes['gen_ai.usage.input_tokens']).toBe(5)
      expect(response!.attributes['gen_ai.usage.output_tokens']).toBe(7)
      const http = sink.spans.find((span) => span.parentSpanId === plain!.spanId)
      expect(http?.name).toBe('POST')
    }
  )

  it.each(['@anthropic-ai/sdk', '@anthropic-ai/sdk-0'])(
    '%s: the span that it makes itself is the only one, and has its place',
    { timeout: 30_000 },
    async (name) => {
      const spans = await run('anthropic', name, '')
      expect(spans.map((span) => [span.name, span.kind])).toEqual([
        ['anthropic.messages.create', CLIENT],
        ['anthropic.messages.create', CLIENT]
      ])
      const [plain] = spans
      expect(plain!.attributes).toMatchObject({
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.request.model': 'claude',
        'gen_ai.usage.output_tokens': 9
      })
      expect(sink.spans.find((span) => span.parentSpanId === plain!.spanId)?.name).toBe('POST')
    }
  )

  it('@anthropic-ai/sdk 0.39, which makes none: ours', { timeout: 30_000 }, async () => {
    const [plain, streamed] = await run('anthropic', '@anthropic-ai/sdk-0.39', '')
    expect(plain!.name).toBe('chat claude')
    expect(plain!.attributes).toMatchObject({
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.max_tokens': 9,
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.usage.output_tokens': 9
    })
    expect(streamed!.attributes).toMatchObject({
      'gen_ai.response.id': 'm-1',
      'gen_ai.response.finish_reasons': ['max_tokens'],
      'gen_ai.usage.input_tokens': 8,
      'gen_ai.usage.output_tokens': 11
    })
  })

  it.each([
    ['@google/genai', 'import'],
    ['@google/genai', 'require'],
    ['@google/genai-2', 'import'],
    ['@google/genai-1', 'import'],
    ['@google/genai-1', 'require']
  ])('%s: each request is one span, by %s', { timeout: 30_000 }, async (name, HOW) => {
    const spans = await run('google', name, '', { HOW })
    expect(spans.map((span) => [span.name, span.kind, span.status.code])).toEqual([
      ['generate_content gemini-3', CLIENT, 0],
      ['generate_content gemini-3', CLIENT, 0],
      ['generate_content gemini-3', CLIENT, 0],
      ['generate_content gemini-3', CLIENT, 0],
      ['embeddings embed-3', CLIENT, 0],
      ['generate_content bad', CLIENT, 2]
    ])
    const [plain, streamed, left] = spans
    const whole = {
      'gen_ai.operation.name': 'generate_content',
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.request.model': 'gemini-3',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 9,
      // The first releases keep it to themselves.
      ...(name.endsWith('-1') ? {} : { 'gen_ai.response.id': 'g-1' }),
      'gen_ai.response.model': 'gemini-3-2026',
      'gen_ai.response.finish_reasons': ['STOP'],
      'gen_ai.usage.input_tokens': 3,
      'gen_ai.usage.output_tokens': 9,
      'server.address': '127.0.0.1'
    }
    expect(plain!.attributes).toMatchObject(whole)
    expect(streamed!.attributes).toMatchObject(whole)
    expect(left!.attributes['gen_ai.response.model']).toBe('gemini-3-2026')
    expect(sink.spans.find((span) => span.parentSpanId === plain!.spanId)?.name).toBe('POST')
  })

  it.each([
    ['ai', 'v3'],
    ['ai6', 'v3'],
    ['ai5', 'v2']
  ])('%s', { timeout: 30_000 }, async (name, SPECIFICATION) => {
    const spans = await run('ai', name, '', { SPECIFICATION })
    expect(spans.map((span) => span.name)).toEqual([
      'invoke_agent generateText fake-1',
      'invoke_agent streamText fake-1',
      'embeddings fake-e'
    ])
    for (const span of spans.slice(0, 2)) {
      expect(span.attributes).toMatchObject({
        'gen_ai.provider.name': 'fake',
        'gen_ai.usage.input_tokens': 3,
        'gen_ai.usage.output_tokens': 4,
        'gen_ai.response.finish_reasons': ['stop']
      })
    }
    expect(spans[2]!.attributes['gen_ai.usage.input_tokens']).toBe(5)
  })
})
