/**
 * Every built-in instrumentation, as data. The code of each is loaded when one of its triggers fires.
 * Sorted as the README's table is: what the runtime has, web frameworks, databases, messaging, the rest.
 */
import { DATABASES } from './catalogue-databases.ts'
import { MESSAGING } from './catalogue-messaging.ts'
import type { Entry } from './registry.ts'

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
    modules: [{ packageName: 'node', majors: [22, 23, 24, 25, 26], file: 'http2', patch: 'http2' }]
  },
  {
    name: 'express',
    code: 'express',
    library: '`express`',
    versions: '4, 5',
    span: 'no span: the route, with all mount paths, and thrown errors on the server span; INTERNAL, `middleware - jsonParser`, for middleware that took 5 ms or longer, or failed',
    modules: [{ packageName: 'express', majors: [4, 5], file: 'lib/express.js', patch: 'express' }]
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
      { packageName: 'koa', majors: [2, 3], file: 'lib/application.js', patch: 'application' },
      { packageName: 'koa', majors: [2, 3], file: 'lib/context.js', patch: 'context' },
      {
        packageName: '@koa/router',
        majors: [12, 13, 14],
        file: 'lib/router.js',
        patch: 'router'
      },
      {
        packageName: '@koa/router',
        majors: [15],
        file: 'dist/index.js',
        patch: 'router'
      },
      {
        packageName: '@koa/router',
        majors: [15],
        file: 'dist/index.mjs',
        esm: ['RouterImplementation'],
        patch: 'router'
      },
      {
        packageName: 'koa-router',
        majors: [12, 13, 14],
        file: 'lib/router.js',
        patch: 'router'
      }
    ]
  },
  {
    name: 'hono',
    code: 'hono',
    library: '`hono` on `@hono/node-server`',
    versions: '4',
    span: 'no span: the route and thrown errors on the server span',
    modules: [
      { packageName: 'hono', majors: [4], file: 'dist/cjs/context.js', patch: 'context' },
      {
        packageName: 'hono',
        majors: [4],
        file: 'dist/context.js',
        esm: ['Context'],
        patch: 'context'
      }
    ]
  },
  {
    name: 'next',
    code: 'next',
    library: '`next`',
    versions: '15, 16',
    span: 'Next’s own, below the server span; the route and thrown errors on the server span',
    modules: [
      {
        packageName: 'next',
        majors: [15, 16],
        file: 'dist/server/base-server.js',
        patch: 'server'
      },
      { packageName: 'next', majors: [15, 16], file: 'dist/server/next-server.js', patch: 'api' }
    ]
  },
  {
    name: 'nestjs',
    code: 'nest',
    library: '`@nestjs/core`',
    versions: '10, 11, 12',
    span: 'no span: exceptions on the server span; routes by express or fastify',
    modules: [
      {
        packageName: '@nestjs/core',
        majors: [10, 11, 12],
        file: 'exceptions/exceptions-handler.js',
        esm: ['ExceptionsHandler'],
        patch: 'exceptions'
      }
    ]
  },
  {
    name: 'pg',
    code: 'pg',
    library: '`pg`, `pg-pool`',
    versions: '8, 3',
    span: 'CLIENT, `SELECT orders`, or `BEGIN shop` with the database’s name; text with every literal as `?`, operation, table, server address; SQLSTATE on an error',
    modules: [
      { packageName: 'pg', majors: [8], file: 'lib/client.js', patch: 'client' },
      { packageName: 'pg-pool', majors: [3], file: 'index.js', patch: 'pool' }
    ]
  },
  {
    name: 'redis',
    code: 'node-redis',
    library: '`redis`, `@redis/client`',
    versions: '4, 5, 6',
    span: 'CLIENT, `GET`; `MULTI` or `PIPELINE` for a batch; text with every argument as `?`, database, batch size, server address; the reply’s error word',
    modules: [
      {
        packageName: '@redis/client',
        majors: [1, 5, 6],
        file: 'dist/lib/client/index.js',
        patch: 'client'
      },
      {
        packageName: '@redis/client',
        majors: [1, 5, 6],
        file: 'dist/lib/client/pool.js',
        patch: 'pool'
      },
      {
        packageName: '@redis/client',
        majors: [1, 5, 6],
        file: 'dist/lib/client/commands-queue.js',
        patch: 'queue'
      },
      {
        packageName: '@redis/client',
        majors: [1, 5, 6],
        file: 'dist/lib/commander.js',
        patch: 'commander'
      }
    ]
  },
  {
    name: 'ioredis',
    code: 'ioredis',
    library: '`ioredis`',
    versions: '5, 6',
    span: 'the same',
    modules: [
      { packageName: 'ioredis', majors: [5, 6], file: 'built/Redis.js', patch: 'redis' },
      { packageName: 'ioredis', majors: [5, 6], file: 'built/Pipeline.js', patch: 'pipeline' },
      { packageName: 'ioredis', majors: [5, 6], file: 'built/cluster/index.js', patch: 'cluster' }
    ]
  },
  {
    name: 'mysql2',
    code: 'mysql2',
    library: '`mysql2`, `mysql2/promise`',
    versions: '3',
    span: 'CLIENT, `SELECT orders`; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: [
      { packageName: 'mysql2', majors: [3], file: 'lib/connection.js', patch: 'connection' },
      { packageName: 'mysql2', majors: [3], file: 'lib/pool.js', patch: 'pool' }
    ]
  },
  {
    name: 'pino',
    code: 'loggers',
    library: '`pino`',
    versions: '8, 9, 10',
    span: 'no span: `trace_id`, `span_id`, `trace_flags` in each line',
    modules: [{ packageName: 'pino', majors: [8, 9, 10], file: 'lib/proto.js', patch: 'pino' }]
  },
  {
    name: 'winston',
    code: 'loggers',
    library: '`winston`',
    versions: '3',
    span: 'the same',
    modules: [
      { packageName: 'winston', majors: [3], file: 'lib/winston/logger.js', patch: 'winston' }
    ]
  },
  {
    name: 'bunyan',
    code: 'loggers',
    library: '`bunyan`',
    versions: '1, 2',
    span: 'the same',
    modules: [{ packageName: 'bunyan', majors: [1, 2], file: 'lib/bunyan.js', patch: 'bunyan' }]
  },
  {
    name: 'openai',
    code: 'llm',
    library: '`openai`',
    versions: '4, 5, 6, 7',
    span: 'CLIENT, `chat gpt-5`, `embeddings …`; models, settings, tokens, finish reasons; a streamed answer ends with its last chunk; never a prompt or an answer',
    modules: ['js', 'mjs'].flatMap((ending) =>
      (
        [
          ['resources/chat/completions/completions', 'Completions', 'chat'],
          ['resources/chat/completions', 'Completions', 'chat'],
          ['resources/responses/responses', 'Responses', 'chat'],
          ['resources/embeddings', 'Embeddings', 'embeddings']
        ] as const
      ).map(([file, local, patch]) => ({
        packageName: 'openai',
        majors: [4, 5, 6, 7],
        file: `${file}.${ending}`,
        patch,
        ...(ending === 'mjs' ? { esm: [local] } : {})
      }))
    )
  },
  {
    name: 'anthropic',
    code: 'llm',
    library: '`@anthropic-ai/sdk`',
    versions: '0, 1',
    span: 'the same; versions that make a span of their own keep it',
    modules: ['js', 'mjs'].map((ending) => ({
      packageName: '@anthropic-ai/sdk',
      majors: [0, 1],
      file: `resources/messages/messages.${ending}`,
      patch: 'messages',
      ...(ending === 'mjs' ? { esm: ['Messages'] } : {})
    }))
  },
  {
    name: 'google-genai',
    code: 'google-genai',
    library: '`@google/genai`',
    versions: '1, 2, 3',
    span: 'the same, `generate_content gemini-3`; one for each request where the client calls functions by itself',
    modules: (['cjs', 'mjs'] as const).map((ending) => ({
      packageName: '@google/genai',
      majors: [1, 2, 3],
      file: `dist/node/index.${ending}`,
      patch: 'models',
      ...(ending === 'mjs' ? { esm: ['Models'] } : {})
    }))
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
    modules: [
      {
        packageName: 'mongodb',
        majors: [5, 6, 7],
        file: 'lib/cmap/connection.js',
        patch: 'connection'
      },
      {
        packageName: 'mongodb',
        majors: [5, 6, 7],
        file: 'lib/cmap/connection_pool.js',
        patch: 'pool'
      }
    ]
  },
  {
    name: 'mongoose',
    code: 'mongoose',
    library: '`mongoose`',
    versions: '7, 8, 9',
    span: 'no span: the driver’s, under whoever asked',
    modules: [
      { packageName: 'mongoose', majors: [7, 8, 9], file: 'lib/collection.js', patch: 'collection' }
    ]
  },
  {
    name: 'prisma',
    code: 'prisma',
    library: '`@prisma/client`',
    versions: '6, 7',
    span: 'INTERNAL, `Order.findMany`, `$transaction`; the queries below are the driver’s, or the engine’s',
    globals: ['PRISMA_INSTRUMENTATION'],
    modules: [
      {
        packageName: '@prisma/client',
        majors: [6, 7],
        file: 'runtime/client.js',
        patch: 'runtime'
      },
      { packageName: '@prisma/client', majors: [6], file: 'runtime/library.js', patch: 'runtime' },
      { packageName: '@prisma/client', majors: [6], file: 'runtime/binary.js', patch: 'runtime' },
      // What the runtime requires: where node loads the runtime for an `import`, no `require` tells of it.
      {
        packageName: '@prisma/client-runtime-utils',
        majors: [7],
        file: 'dist/index.js',
        patch: 'runtime'
      }
    ]
  },
  ...DATABASES,
  ...MESSAGING
]
