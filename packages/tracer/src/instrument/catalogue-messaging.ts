/** The part of the catalogue that is messaging, remote calls and what is called by either. */
import type { Entry } from './registry.ts'

export const MESSAGING: readonly Entry[] = [
  {
    name: 'amqplib',
    code: 'amqplib',
    library: '`amqplib`',
    versions: '0.10, 1, 2',
    span: 'PRODUCER, `send orders`; CONSUMER, `process orders`, a child of the sender and linked to it; exchange or queue, routing key',
    modules: [
      {
        packageName: 'amqplib',
        majors: [0, 1, 2],
        file: 'lib/channel_model.js',
        patch: 'model'
      },
      {
        packageName: 'amqplib',
        majors: [0, 1, 2],
        file: 'lib/callback_model.js',
        patch: 'model'
      }
    ]
  },
  {
    name: 'bullmq',
    code: 'bullmq',
    library: '`bullmq`',
    versions: '5, 6',
    span: 'PRODUCER, `send mail`; CONSUMER, `process mail`, one for each attempt; nothing where the app passes telemetry of its own',
    modules: [
      { packageName: 'bullmq', majors: [5, 6], file: 'dist/cjs/classes/queue.js', patch: 'queue' },
      {
        packageName: 'bullmq',
        majors: [5, 6],
        file: 'dist/esm/classes/queue.js',
        esm: ['Queue'],
        patch: 'queue'
      },
      {
        packageName: 'bullmq',
        majors: [5, 6],
        file: 'dist/cjs/classes/flow-producer.js',
        patch: 'flowProducer'
      },
      {
        packageName: 'bullmq',
        majors: [5, 6],
        file: 'dist/esm/classes/flow-producer.js',
        esm: ['FlowProducer'],
        patch: 'flowProducer'
      },
      {
        packageName: 'bullmq',
        majors: [5, 6],
        file: 'dist/cjs/classes/worker.js',
        patch: 'worker'
      },
      {
        packageName: 'bullmq',
        majors: [5, 6],
        file: 'dist/esm/classes/worker.js',
        esm: ['Worker'],
        patch: 'worker'
      }
    ]
  },
  {
    name: 'kafkajs',
    code: 'kafkajs',
    library: '`kafkajs`',
    versions: '2',
    span: 'PRODUCER, `send orders`; CONSUMER, `process orders`, of a batch with a link for each message; group, partition, offset, key',
    modules: [{ packageName: 'kafkajs', majors: [2], file: 'src/index.js', patch: 'client' }]
  },
  {
    name: 'platformatic-kafka',
    code: 'platformatic-kafka',
    library: '`@platformatic/kafka`',
    versions: '1, 2',
    span: 'the same; active in the body of a `for await` loop',
    modules: [
      {
        packageName: '@platformatic/kafka',
        majors: [1, 2],
        file: 'dist/clients/producer/producer.js',
        esm: ['Producer'],
        patch: 'producer'
      },
      {
        packageName: '@platformatic/kafka',
        majors: [1, 2],
        file: 'dist/clients/consumer/messages-stream.js',
        esm: ['MessagesStream'],
        patch: 'stream'
      }
    ]
  },
  {
    name: 'nats',
    code: 'nats',
    library: '`nats`, `@nats-io/transport-node`, `@nats-io/jetstream`',
    versions: '2; 3; 3',
    span: 'PRODUCER, `send orders`, of a request until it is answered; CONSUMER, `process orders.*`, a child of the sender and linked to it; queue group, server address; active in the body of a `for await` loop',
    modules: [
      {
        packageName: 'nats',
        majors: [2],
        file: 'lib/nats-base-client/protocol.js',
        patch: 'protocol'
      },
      {
        packageName: 'nats',
        majors: [2],
        file: 'lib/nats-base-client/nats.js',
        patch: 'connection'
      },
      {
        packageName: 'nats',
        majors: [2],
        file: 'lib/jetstream/consumer.js',
        patch: 'jetstream'
      },
      {
        packageName: '@nats-io/jetstream',
        majors: [3],
        file: 'lib/consumer.js',
        patch: 'jetstream'
      },
      {
        packageName: '@nats-io/nats-core',
        majors: [3],
        file: 'lib/protocol.js',
        patch: 'protocol'
      },
      { packageName: '@nats-io/nats-core', majors: [3], file: 'lib/nats.js', patch: 'connection' }
    ]
  },
  {
    name: 'ws',
    code: 'web-sockets',
    library: '`ws` server',
    versions: '8',
    span: 'SERVER, `GET`, of the upgrade, as those of `node:http`; CONSUMER, `websocket message`, a root with a link to the upgrade; path',
    modules: [
      { packageName: 'ws', majors: [8], file: 'lib/websocket-server.js', patch: 'server' },
      { packageName: 'ws', majors: [8], file: 'lib/websocket.js', patch: 'socket' }
    ]
  },
  {
    name: 'socket.io',
    code: 'web-sockets',
    library: '`socket.io` server',
    versions: '4',
    span: 'CONSUMER, `process order`, of events that have a listener, a root with a link to the connection’s request; namespace, event',
    modules: [
      { packageName: 'socket.io', majors: [4], file: 'dist/typed-events.js', patch: 'events' }
    ]
  },
  {
    name: 'grpc',
    code: 'grpc',
    library: '`@grpc/grpc-js`',
    versions: '1',
    span: 'CLIENT and SERVER, `shop.Orders/Get`, one for each call however much it streams; service, method, status',
    modules: [
      { packageName: '@grpc/grpc-js', majors: [1], file: 'build/src/client.js', patch: 'client' },
      { packageName: '@grpc/grpc-js', majors: [1], file: 'build/src/server.js', patch: 'server' }
    ]
  },
  {
    name: 'graphql',
    code: 'graphql',
    library: '`graphql`',
    versions: '16, 17',
    span: 'INTERNAL, `query Orders`; type, name, document with every literal as `?`; errors of the result as events; `graphql.parse` and `graphql.validate` that took 5 ms or longer, or failed',
    modules: [
      { packageName: 'graphql', majors: [16, 17], file: 'execution/execute.js', patch: 'execute' },
      {
        packageName: 'graphql',
        majors: [16, 17],
        file: 'execution/execute.mjs',
        esm: ['execute'],
        patch: 'execute'
      },
      {
        packageName: 'graphql',
        majors: [17],
        file: '__dev__/execution/execute.js',
        patch: 'execute'
      },
      { packageName: 'graphql', majors: [16, 17], file: 'language/parser.js', patch: 'parse' },
      {
        packageName: 'graphql',
        majors: [16, 17],
        file: 'language/parser.mjs',
        esm: ['parse'],
        patch: 'parse'
      },
      {
        packageName: 'graphql',
        majors: [16, 17],
        file: 'validation/validate.js',
        patch: 'validate'
      },
      {
        packageName: 'graphql',
        majors: [16, 17],
        file: 'validation/validate.mjs',
        esm: ['validate'],
        patch: 'validate'
      }
    ]
  },
  {
    name: 'aws-sdk',
    code: 'aws-sdk',
    library: '`@aws-sdk/client-*`',
    versions: '3',
    span: 'CLIENT, `S3.GetObject`, with no HTTP span below; region, request id, status; SQS and SNS as messages, DynamoDB as a database',
    modules: [
      {
        packageName: '@smithy/smithy-client',
        majors: [1, 2, 3, 4, 5],
        file: 'dist-cjs/index.js',
        patch: 'client'
      },
      {
        packageName: '@smithy/smithy-client',
        majors: [1, 2, 3, 4, 5],
        file: 'dist-es/client.js',
        esm: ['Client'],
        patch: 'client'
      },
      {
        packageName: '@smithy/core',
        majors: [3, 4],
        file: 'dist-cjs/submodules/client/index.js',
        patch: 'client'
      },
      {
        packageName: '@smithy/core',
        majors: [3, 4],
        file: 'dist-es/submodules/client/smithy-client/client.js',
        esm: ['Client'],
        patch: 'client'
      }
    ]
  },
  {
    name: 'async',
    code: 'shared-work',
    library: '`async`',
    versions: '3',
    span: 'no span: tasks of queues and cargos, and callbacks of `memoize`, run in the context of who gave them',
    modules: [{ packageName: 'async', majors: [3], file: 'dist/async.js', patch: 'async' }]
  },
  {
    name: 'bluebird',
    code: 'shared-work',
    library: '`bluebird`',
    versions: '3',
    span: 'no span: the context of who calls `then` and the like, from 3.7 on',
    modules: [
      {
        packageName: 'bluebird',
        majors: [3],
        file: 'js/release/bluebird.js',
        patch: 'bluebird'
      }
    ]
  },
  {
    name: 'bottleneck',
    code: 'shared-work',
    library: '`bottleneck`',
    versions: '2',
    span: 'no span: the context of who calls `schedule`, `submit` or what `wrap` made',
    modules: [
      { packageName: 'bottleneck', majors: [2], file: 'lib/Bottleneck.js', patch: 'bottleneck' }
    ]
  },
  {
    name: 'lru-memoizer',
    code: 'shared-work',
    library: '`lru-memoizer`',
    versions: '2, 3',
    span: 'no span: the context of who asked',
    modules: [
      { packageName: 'lru-memoizer', majors: [2, 3], file: 'lib/async.js', patch: 'memoizer' }
    ]
  },
  {
    name: 'q',
    code: 'shared-work',
    library: '`q`',
    versions: '1, 2',
    span: 'no span: the context of who calls `then`',
    modules: [{ packageName: 'q', majors: [1, 2], file: 'q.js', patch: 'q' }]
  }
]
