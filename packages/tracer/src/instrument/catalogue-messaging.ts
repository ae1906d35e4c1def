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
    span: 'PRODUCER, `send orders`, of a request until it is answered; CONSUMER, `process orders.*`, a child of the sender and linked to it; queue group, server address; in a `for await` loop the span is not active',
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
    library: '`graphql`, `@graphql-tools/executor`',
    versions: '16, 17; 1, 2',
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
      },
      {
        packageName: '@graphql-tools/executor',
        majors: [1, 2],
        file: 'cjs/execution/execute.js',
        patch: 'tools'
      },
      {
        packageName: '@graphql-tools/executor',
        majors: [1, 2],
        file: 'esm/execution/execute.js',
        esm: ['execute'],
        patch: 'tools'
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
  }
]
