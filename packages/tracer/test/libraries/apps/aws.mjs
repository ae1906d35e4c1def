// Calls four services at a fake endpoint. Arguments: how the clients are loaded, the endpoint, an ending of their names.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [how, endpoint, ending = ''] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const load = async (name) => (how === 'require' ? require(name) : await import(name))
const { SQSClient, SendMessageCommand, SendMessageBatchCommand, ReceiveMessageCommand } =
  await load(`@aws-sdk/client-sqs${ending}`)
const { SNSClient, PublishCommand } = await load(`@aws-sdk/client-sns${ending}`)
const { DynamoDBClient, GetItemCommand } = await load(`@aws-sdk/client-dynamodb${ending}`)
const { S3Client, GetObjectCommand } = await load(`@aws-sdk/client-s3${ending}`)
const config = {
  region: 'eu-west-1',
  endpoint,
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  maxAttempts: 1,
  forcePathStyle: true
}
const tracer = trace.getTracer('app')
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    try {
      return await fn()
    } finally {
      span.end()
    }
  })

const sqs = new SQSClient(config)
const QueueUrl = `${endpoint}/1/orders`
const attributes = (count) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `a${index}`,
      { DataType: 'String', StringValue: 'x' }
    ])
  )
const command = new SendMessageCommand({
  QueueUrl,
  MessageBody: 'one',
  MessageAttributes: attributes(9)
})
await within('from nine', () => sqs.send(command))
console.log(`untouched ${Object.keys(command.input.MessageAttributes).length}`)
await within('from ten', () =>
  sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody: 'ten', MessageAttributes: attributes(10) })
  )
)
await within('from batch', () =>
  sqs.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: '1', MessageBody: 'a' },
        { Id: '2', MessageBody: 'b' }
      ]
    })
  )
)
const { Messages } = await within('from receive', () =>
  sqs.send(new ReceiveMessageCommand({ QueueUrl }))
)
console.log(`received ${Messages.length}`)

const before = await within('from sns', async () => {
  const active = trace.getActiveSpan()
  return new Promise((resolve) =>
    new SNSClient(config).send(
      new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:1:news', Message: 'hello' }),
      () => resolve(trace.getActiveSpan() === active)
    )
  )
})
console.log(`kept ${before}`)
await within('from dynamodb', () =>
  new DynamoDBClient(config).send(
    new GetItemCommand({ TableName: 'carts', Key: { id: { S: 'secret' } } })
  )
)
await within('from s3', () =>
  new S3Client(config).send(new GetObjectCommand({ Bucket: 'photos', Key: 'cat' }))
).catch((error) => console.log(`failed ${error.name}`))
try {
  await sqs.send(undefined)
} catch (error) {
  console.log(`refused ${error.name}`)
}
console.log('done')
