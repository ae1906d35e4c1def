/**
 * Every built-in instrumentation, as data. The code of each is loaded when one of its triggers fires.
 * Sorted as the README's table is: what the runtime has, web frameworks, databases, messaging, the rest.
 */
import { DATABASES } from './catalogue-databases.ts'
import { MESSAGING } from './catalogue-messaging.ts'
import { type Entry, filesOf } from './registry.ts'

export const CATALOGUE: readonly Entry[] = [
  {
    name: 'http-server',
    code: 'http-server',
    library: '`node:http`, `node:https` server',
    versions: 'Node’s',
    span: 'SERVER, `GET /orders/:id`, or `GET` without a route; method, route, path, query (values redacted), status, server and client address, user agent; an error from 500 on',
    channels: ['http.server.request.start', 'http.server.response.finish']
  },
  {
    name: 'http-client',
    code: 'http-client',
    library: '`node:http`, `node:https` client',
    versions: 'Node’s',
    span: 'CLIENT, `GET`; `url.full` (credentials and query values redacted), server address, status; an error from 400 on or without an answer',
    channels: [
      'http.client.request.created',
      'http.client.response.finish',
      'http.client.request.error'
    ]
  },
  {
    name: 'undici',
    code: 'undici',
    library: '`fetch` and `undici`',
    versions: 'Node’s; npm’s 5–8',
    span: 'the same; each redirect is a span',
    channels: [
      'undici:request:create',
      'undici:request:headers',
      'undici:request:trailers',
      'undici:request:error'
    ]
  },
  {
    name: 'http2',
    code: 'http2',
    library: '`node:http2` server and client',
    versions: 'Node’s',
    span: 'SERVER and CLIENT as those of `node:http`; gRPC’s calls are left to its own',
    channels: ['http2.server.stream.start', 'http2.server.stream.close'],
    modules: filesOf('node', [22, 23, 24, 25, 26], ['http2', 'http2'])
  },
  {
    name: 'express',
    code: 'express',
    library: '`express`',
    versions: '4, 5',
    span: 'no span: the route, with all mount paths, and thrown errors on the server span; INTERNAL, `middleware - jsonParser`, for middleware that took 5 ms or longer, or failed',
    modules: filesOf('express', [4, 5], ['lib/express.js', 'express'])
  },
  {
    name: 'fastify',
    code: 'fastify',
    library: '`fastify`',
    versions: '4, 5',
    span: 'no span: the route and thrown errors on the server span',
    channels: ['fastify.initialization']
  },
  {
    name: 'koa',
    code: 'koa',
    library: '`koa`, `@koa/router`, `koa-router`',
    versions: '2, 3; 12–15; 12–14',
    span: 'no span: the route and thrown errors on the server span; INTERNAL for middleware that took 5 ms or longer, or failed',
    modules: [
      ...filesOf(
        'koa',
        [2, 3],
        ['lib/application.js', 'application'],
        ['lib/context.js', 'context']
      ),
      ...filesOf('@koa/router', [12, 13, 14], ['lib/router.js', 'router']),
      ...filesOf(
        '@koa/router',
        [15],
        ['dist/index.js', 'router'],
        ['dist/index.mjs', 'router', 'RouterImplementation']
      ),
      ...filesOf('koa-router', [12, 13, 14], ['lib/router.js', 'router'])
    ]
  },
  {
    name: 'hono',
    code: 'hono',
    library: '`hono` on `@hono/node-server`',
    versions: '4',
    span: 'no span: the route and thrown errors on the server span',
    modules: filesOf(
      'hono',
      [4],
      ['dist/cjs/context.js', 'context'],
      ['dist/context.js', 'context', 'Context']
    )
  },
  {
    name: 'next',
    code: 'next',
    library: '`next`',
    versions: '15, 16',
    span: 'Next’s own, below the server span; the route and thrown errors on the server span',
    modules: filesOf(
      'next',
      [15, 16],
      ['dist/server/base-server.js', 'server'],
      ['dist/server/next-server.js', 'api']
    )
  },
  {
    name: 'nestjs',
    code: 'nest',
    library: '`@nestjs/core`',
    versions: '10, 11, 12',
    span: 'no span: exceptions on the server span; routes by express or fastify',
    modules: filesOf(
      '@nestjs/core',
      [10, 11, 12],
      ['exceptions/exceptions-handler.js', 'exceptions', 'ExceptionsHandler']
    )
  },
  {
    name: 'pg',
    code: 'pg',
    library: '`pg`, `pg-pool`',
    versions: '8, 3',
    span: 'CLIENT, `SELECT orders`, or `BEGIN shop` with the database’s name; text with every literal as `?`, operation, table, server address; SQLSTATE on an error',
    modules: [
      ...filesOf('pg', [8], ['lib/client.js', 'client']),
      ...filesOf('pg-pool', [3], ['index.js', 'pool'])
    ]
  },
  {
    name: 'redis',
    code: 'node-redis',
    library: '`redis`, `@redis/client`',
    versions: '4, 5, 6',
    span: 'CLIENT, `GET`; `MULTI` or `PIPELINE` for a batch; text with every argument as `?`, database, batch size, server address; the reply’s error word',
    modules: filesOf(
      '@redis/client',
      [1, 5, 6],
      ['dist/lib/client/index.js', 'client'],
      ['dist/lib/client/pool.js', 'pool'],
      ['dist/lib/client/commands-queue.js', 'queue'],
      ['dist/lib/commander.js', 'commander']
    )
  },
  {
    name: 'ioredis',
    code: 'ioredis',
    library: '`ioredis`',
    versions: '5, 6',
    span: 'the same',
    modules: filesOf(
      'ioredis',
      [5, 6],
      ['built/Redis.js', 'redis'],
      ['built/Pipeline.js', 'pipeline'],
      ['built/cluster/index.js', 'cluster']
    )
  },
  {
    name: 'mysql2',
    code: 'mysql2',
    library: '`mysql2`, `mysql2/promise`',
    versions: '3',
    span: 'CLIENT, `SELECT orders`; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: filesOf('mysql2', [3], ['lib/connection.js', 'connection'], ['lib/pool.js', 'pool'])
  },
  {
    name: 'pino',
    code: 'loggers',
    library: '`pino`',
    versions: '8, 9, 10',
    span: 'no span: `trace_id`, `span_id`, `trace_flags` in each line',
    modules: filesOf('pino', [8, 9, 10], ['lib/proto.js', 'pino'])
  },
  {
    name: 'winston',
    code: 'loggers',
    library: '`winston`',
    versions: '3',
    span: 'the same',
    modules: filesOf('winston', [3], ['lib/winston/logger.js', 'winston'])
  },
  {
    name: 'bunyan',
    code: 'loggers',
    library: '`bunyan`',
    versions: '1, 2',
    span: 'the same',
    modules: filesOf('bunyan', [1, 2], ['lib/bunyan.js', 'bunyan'])
  },
  {
    name: 'openai',
    code: 'llm',
    library: '`openai`',
    versions: '4, 5, 6, 7',
    span: 'CLIENT, `chat gpt-5`, `embeddings …`; models, settings, tokens, finish reasons; a streamed answer ends with its last chunk; never a prompt or an answer',
    modules: filesOf(
      'openai',
      [4, 5, 6, 7],
      ['resources/chat/completions/completions.js', 'chat'],
      ['resources/chat/completions.js', 'chat'],
      ['resources/responses/responses.js', 'chat'],
      ['resources/embeddings.js', 'embeddings'],
      ['resources/chat/completions/completions.mjs', 'chat', 'Completions'],
      ['resources/chat/completions.mjs', 'chat', 'Completions'],
      ['resources/responses/responses.mjs', 'chat', 'Responses'],
      ['resources/embeddings.mjs', 'embeddings', 'Embeddings']
    )
  },
  {
    name: 'anthropic',
    code: 'llm',
    library: '`@anthropic-ai/sdk`',
    versions: '0, 1',
    span: 'the same; versions that make a span of their own keep it',
    modules: filesOf(
      '@anthropic-ai/sdk',
      [0, 1],
      ['resources/messages/messages.js', 'messages'],
      ['resources/messages/messages.mjs', 'messages', 'Messages'],
      ['resources/beta/messages/messages.js', 'messages'],
      ['resources/beta/messages/messages.mjs', 'messages', 'Messages']
    )
  },
  {
    name: 'google-genai',
    code: 'google-genai',
    library: '`@google/genai`',
    versions: '1, 2, 3',
    span: 'the same, `generate_content gemini-3`; one for each request where the client calls functions by itself',
    modules: filesOf(
      '@google/genai',
      [1, 2, 3],
      ['dist/node/index.cjs', 'models'],
      ['dist/node/index.mjs', 'models', 'Models']
    )
  },
  {
    name: 'ai',
    code: 'ai-sdk',
    library: '`ai`',
    versions: '5, 6, 7 as ES modules',
    span: 'INTERNAL, `invoke_agent generateText gpt-5`, `embeddings …`, above what the provider’s client sends; model, tokens, finish reason',
    modules: [5, 6, 7].map((major) => ({
      packageName: 'ai',
      majors: [major],
      file: major < 7 ? 'dist/index.mjs' : 'dist/index.js',
      patch: 'functions',
      esm: ['generateText', 'streamText', 'generateObject', 'streamObject', 'embed', 'embedMany']
    }))
  },
  {
    name: 'mongodb',
    code: 'mongodb',
    library: '`mongodb`',
    versions: '5, 6, 7',
    span: 'CLIENT, `find orders`, `getMore orders`; the shape of filter, update or pipeline with every value as `?`, database, batch size, server address; the error’s number',
    modules: filesOf(
      'mongodb',
      [5, 6, 7],
      ['lib/cmap/connection.js', 'connection'],
      ['lib/cmap/connection_pool.js', 'pool']
    )
  },
  {
    name: 'mongoose',
    code: 'mongoose',
    library: '`mongoose`',
    versions: '7, 8, 9',
    span: 'no span: the driver’s, under whoever asked',
    modules: filesOf('mongoose', [7, 8, 9], ['lib/collection.js', 'collection'])
  },
  {
    name: 'prisma',
    code: 'prisma',
    library: '`@prisma/client`',
    versions: '6, 7',
    span: 'INTERNAL, `Order.findMany`, `$transaction`; the queries below are the driver’s, or the engine’s',
    globals: ['PRISMA_INSTRUMENTATION'],
    modules: [
      ...filesOf('@prisma/client', [6, 7], ['runtime/client.js', 'runtime']),
      ...filesOf(
        '@prisma/client',
        [6],
        ['runtime/library.js', 'runtime'],
        ['runtime/binary.js', 'runtime']
      ),
      // What the runtime requires: where node loads the runtime for an `import`, no `require` tells of it.
      ...filesOf('@prisma/client-runtime-utils', [7], ['dist/index.js', 'runtime'])
    ]
  },
  ...DATABASES,
  ...MESSAGING
]
