/** The part of the catalogue that is messaging, remote calls and what is called by either. */
import { type Entry, filesOf } from './registry.ts'

export const MESSAGING: readonly Entry[] = [
  {
    name: 'amqplib',
    code: 'amqplib',
    library: '`amqplib`',
    versions: '0.10, 1, 2',
    span: 'PRODUCER, `send orders`; CONSUMER, `process orders`, a child of the sender and linked to it; exchange or queue, routing key',
    modules: filesOf(
      'amqplib',
      [0, 1, 2],
      ['lib/channel_model.js', 'model'],
      ['lib/callback_model.js', 'model']
    )
  },
  {
    name: 'bullmq',
    code: 'bullmq',
    library: '`bullmq`',
    versions: '5, 6',
    span: 'PRODUCER, `send mail`; CONSUMER, `process mail`, one for each attempt; nothing where the app passes telemetry of its own',
    modules: filesOf(
      'bullmq',
      [5, 6],
      ['dist/cjs/classes/queue.js', 'queue'],
      ['dist/esm/classes/queue.js', 'queue', 'Queue'],
      ['dist/cjs/classes/flow-producer.js', 'flowProducer'],
      ['dist/esm/classes/flow-producer.js', 'flowProducer', 'FlowProducer'],
      ['dist/cjs/classes/worker.js', 'worker'],
      ['dist/esm/classes/worker.js', 'worker', 'Worker']
    )
  },
  {
    name: 'kafkajs',
    code: 'kafkajs',
    library: '`kafkajs`',
    versions: '2',
    span: 'PRODUCER, `send orders`; CONSUMER, `process orders`, of a batch with a link for each message; group, partition, offset, key',
    modules: filesOf('kafkajs', [2], ['src/index.js', 'client'])
  },
  {
    name: 'platformatic-kafka',
    code: 'platformatic-kafka',
    library: '`@platformatic/kafka`',
    versions: '1, 2',
    span: 'the same; active in the body of a `for await` loop',
    modules: filesOf(
      '@platformatic/kafka',
      [1, 2],
      ['dist/clients/producer/producer.js', 'producer', 'Producer'],
      ['dist/clients/consumer/messages-stream.js', 'stream', 'MessagesStream']
    )
  },
  {
    name: 'nats',
    code: 'nats',
    library: '`nats`, `@nats-io/transport-node`, `@nats-io/jetstream`',
    versions: '2; 3; 3',
    span: 'PRODUCER, `send orders`, of a request until it is answered; CONSUMER, `process orders.*`, a child of the sender and linked to it; queue group, server address; active in the body of a `for await` loop',
    modules: [
      ...filesOf(
        'nats',
        [2],
        ['lib/nats-base-client/protocol.js', 'protocol'],
        ['lib/nats-base-client/nats.js', 'connection'],
        ['lib/jetstream/consumer.js', 'jetstream']
      ),
      ...filesOf('@nats-io/jetstream', [3], ['lib/consumer.js', 'jetstream']),
      ...filesOf(
        '@nats-io/nats-core',
        [3],
        ['lib/protocol.js', 'protocol'],
        ['lib/nats.js', 'connection']
      )
    ]
  },
  {
    name: 'ws',
    code: 'web-sockets',
    library: '`ws` server',
    versions: '8',
    span: 'SERVER, `GET`, of the upgrade, as those of `node:http`; CONSUMER, `websocket message`, a root with a link to the upgrade; path',
    modules: filesOf(
      'ws',
      [8],
      ['lib/websocket-server.js', 'server'],
      ['lib/websocket.js', 'socket']
    )
  },
  {
    name: 'socket.io',
    code: 'web-sockets',
    library: '`socket.io` server',
    versions: '4',
    span: 'CONSUMER, `process order`, of events that have a listener, a root with a link to the connection’s request; namespace, event',
    modules: filesOf('socket.io', [4], ['dist/typed-events.js', 'events'])
  },
  {
    name: 'grpc',
    code: 'grpc',
    library: '`@grpc/grpc-js`',
    versions: '1',
    span: 'CLIENT and SERVER, `shop.Orders/Get`, one for each call however much it streams; service, method, status',
    modules: filesOf(
      '@grpc/grpc-js',
      [1],
      ['build/src/client.js', 'client'],
      ['build/src/server.js', 'server']
    )
  },
  {
    name: 'graphql',
    code: 'graphql',
    library: '`graphql`, `@graphql-tools/executor`',
    versions: '16, 17; 1, 2',
    span: 'INTERNAL, `query Orders`; type, name, document with every literal as `?`; errors of the result as events; `graphql.parse` and `graphql.validate` that took 5 ms or longer, or failed',
    modules: [
      ...filesOf(
        'graphql',
        [16, 17],
        ['execution/execute.js', 'execute'],
        ['execution/execute.mjs', 'execute', 'execute']
      ),
      ...filesOf('graphql', [17], ['__dev__/execution/execute.js', 'execute']),
      ...filesOf(
        'graphql',
        [16, 17],
        ['language/parser.js', 'parse'],
        ['language/parser.mjs', 'parse', 'parse'],
        ['validation/validate.js', 'validate'],
        ['validation/validate.mjs', 'validate', 'validate']
      ),
      ...filesOf(
        '@graphql-tools/executor',
        [1, 2],
        ['cjs/execution/execute.js', 'tools'],
        ['esm/execution/execute.js', 'tools', 'execute']
      )
    ]
  },
  {
    name: 'aws-sdk',
    code: 'aws-sdk',
    library: '`@aws-sdk/client-*`',
    versions: '3',
    span: 'CLIENT, `S3.GetObject`, with no HTTP span below; region, request id, status; SQS and SNS as messages, DynamoDB as a database',
    modules: [
      ...filesOf(
        '@smithy/smithy-client',
        [1, 2, 3, 4, 5],
        ['dist-cjs/index.js', 'client'],
        ['dist-es/client.js', 'client', 'Client']
      ),
      ...filesOf(
        '@smithy/core',
        [3, 4],
        ['dist-cjs/submodules/client/index.js', 'client'],
        ['dist-es/submodules/client/smithy-client/client.js', 'client', 'Client']
      )
    ]
  },
  {
    name: 'async',
    code: 'shared-work',
    library: '`async`',
    versions: '3',
    span: 'no span: tasks of queues and cargos, and callbacks of `memoize`, run in the context of who gave them',
    modules: filesOf('async', [3], ['dist/async.js', 'async'])
  },
  {
    name: 'bluebird',
    code: 'shared-work',
    library: '`bluebird`',
    versions: '3',
    span: 'no span: the context of who calls `then` and the like, from 3.7 on',
    modules: filesOf('bluebird', [3], ['js/release/bluebird.js', 'bluebird'])
  },
  {
    name: 'bottleneck',
    code: 'shared-work',
    library: '`bottleneck`',
    versions: '2',
    span: 'no span: the context of who calls `schedule`, `submit` or what `wrap` made',
    modules: filesOf('bottleneck', [2], ['lib/Bottleneck.js', 'bottleneck'])
  },
  {
    name: 'lru-memoizer',
    code: 'shared-work',
    library: '`lru-memoizer`',
    versions: '2, 3',
    span: 'no span: the context of who asked',
    modules: filesOf('lru-memoizer', [2, 3], ['lib/async.js', 'memoizer'])
  },
  {
    name: 'q',
    code: 'shared-work',
    library: '`q`',
    versions: '1, 2',
    span: 'no span: the context of who calls `then`',
    modules: filesOf('q', [1, 2], ['q.js', 'q'])
  }
]
