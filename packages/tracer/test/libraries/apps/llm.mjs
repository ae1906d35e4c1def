// Calls models through the SDK that its arguments name; the models are a fake at the HTTP level.
import { forgotten, load } from './steps.mjs'

const [, , kind, name, baseURL] = process.argv
const settings = { apiKey: 'k', baseURL, maxRetries: 0 }
const chat = { model: 'gpt-5', temperature: 0.5, messages: [{ role: 'user', content: 'secret' }] }

async function consume(stream) {
  let count = 0
  for await (const _chunk of stream) count++
  return count
}

const calls = {
  async openai({ default: OpenAI }) {
    const client = new OpenAI(settings)
    await client.chat.completions.create(chat)
    await consume(await client.chat.completions.create({ ...chat, stream: true }))
    await client.chat.completions.create(chat).asResponse()
    await client.chat.completions.create(chat).withResponse()
    await client.embeddings.create({ model: 'embed-3', input: 'secret', encoding_format: 'float' })
    await client.responses.create({ model: 'gpt-5', input: 'secret' })
    await client.chat.completions.create({ ...chat, model: 'bad' }).catch((error) => {
      console.log(`refused ${error.status}`)
    })
    const parsing = 'parse' in client.chat.completions ? client.chat : client.beta.chat
    const { completions } = parsing
    await completions.parse(chat)
    await completions.parse(chat).asResponse()
    await completions.parse({ ...chat, model: 'bad' }).catch(() => {})
    const left = await client.chat.completions.create({ ...chat, stream: true })
    left.controller.abort()
    await forgotten(async () => {
      client.chat.completions.create({ ...chat, model: 'bad' })
      await client.chat.completions.create(chat)
    })
  },
  async anthropic({ default: Anthropic }) {
    const client = new Anthropic(settings)
    const message = { model: 'claude', max_tokens: 9, messages: chat.messages }
    await client.messages.create(message)
    await consume(await client.messages.create({ ...message, stream: true }))
    await client.beta.messages.create(message)
  },
  async google({ GoogleGenAI }) {
    const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: baseURL } })
    const asked = {
      model: 'gemini-3',
      contents: 'secret',
      config: { temperature: 0.5, maxOutputTokens: 9 }
    }
    await client.models.generateContent(asked)
    await consume(await client.models.generateContentStream(asked))
    for await (const _chunk of await client.models.generateContentStream(asked)) break
    await client.chats.create({ model: 'gemini-3' }).sendMessage({ message: 'secret' })
    await client.models.embedContent({ model: 'embed-3', contents: 'secret' })
    await client.models.generateContent({ ...asked, model: 'bad' }).catch((error) => {
      console.log(`refused ${error.status}`)
    })
  },
  async ai({ generateText, streamText, embed }) {
    const model = fakeModel()
    await generateText({ model, prompt: 'secret' })
    await consume(streamText({ model, prompt: 'secret' }).textStream)
    await embed({ model: fakeEmbedding(), value: 'secret' })
  }
}

function fakeModel() {
  const { SPECIFICATION = 'v2' } = process.env
  const isNew = SPECIFICATION !== 'v2'
  const usage = isNew
    ? { inputTokens: { total: 3 }, outputTokens: { total: 4 } }
    : { inputTokens: 3, outputTokens: 4, totalTokens: 7 }
  const finishReason = isNew ? { unified: 'stop', raw: 'stop' } : 'stop'
  return {
    specificationVersion: SPECIFICATION,
    provider: 'fake.chat',
    modelId: 'fake-1',
    supportedUrls: {},
    doGenerate: async () => ({
      content: [{ type: 'text', text: 'answer' }],
      finishReason,
      usage,
      warnings: []
    }),
    doStream: async () => ({
      stream: new ReadableStream({
        start(controller) {
          controller.enqueue({ type: 'stream-start', warnings: [] })
          controller.enqueue({ type: 'text-start', id: '1' })
          controller.enqueue({ type: 'text-delta', id: '1', delta: 'answer' })
          controller.enqueue({ type: 'text-end', id: '1' })
          controller.enqueue({ type: 'finish', finishReason, usage })
          controller.close()
        }
      })
    })
  }
}

function fakeEmbedding() {
  return {
    specificationVersion: process.env.SPECIFICATION ?? 'v2',
    provider: 'fake.embedding',
    modelId: 'fake-e',
    maxEmbeddingsPerCall: 1,
    supportsParallelCalls: false,
    doEmbed: async () => ({ embeddings: [[1]], usage: { tokens: 5 }, warnings: [] })
  }
}

await calls[kind](process.env.HOW === 'require' ? await load(name, 'require') : await import(name))
console.log('done')
