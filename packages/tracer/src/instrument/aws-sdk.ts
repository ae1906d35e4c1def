/**
 * The AWS SDK 3: `send` of the class that all its clients extend. A call is one span, `S3.GetObject`; the
 * HTTP requests below it are suppressed, so that the map has one edge, and so that no header is added to
 * what has been signed.
 *
 *   SQS SendMessage, SNS Publish, their batches   PRODUCER `send Q`, the context in message attributes. A
 *                                                 message has room for 10: ours go in only where they fit
 *   SQS ReceiveMessage                            `receive Q`, which also asks for our attributes, and is
 *                                                 linked to the sender of each message
 *   DynamoDB                                      with the database's attributes as well
 */
import { SpanKind } from '@opentelemetry/api'
import {
  AWS_REQUEST_ID,
  AWS_S3_BUCKET,
  CLOUD_REGION,
  DB_COLLECTION_NAME,
  DB_OPERATION_NAME,
  DB_SYSTEM_NAME,
  HTTP_RESPONSE_STATUS_CODE,
  MESSAGING_BATCH_MESSAGE_COUNT,
  MESSAGING_MESSAGE_ID,
  RPC_METHOD,
  RPC_SERVICE,
  RPC_SYSTEM
} from '@spanloom/otlp'
import { SUPPRESS_KEY } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import { type AnySpan, contextWithSpan } from '../trace/tracer.ts'
import { type AnyFunction, endSpan, inContext, wrapMethod } from './calls.ts'
import { announce, type Instruments, injectHeaders, startExitSpan } from './instruments.ts'
import { linkToSender, startReceive, startSend, textHeaders } from './messages.ts'
import type { Instrumentation } from './registry.ts'

type Input = Readonly<Record<string, unknown>>

interface Command {
  readonly input?: Input
}

interface Client {
  readonly config?: { readonly serviceId?: string; readonly region?: unknown }
}

interface Output {
  readonly $metadata?: { readonly requestId?: string; readonly httpStatusCode?: number }
  readonly MessageId?: unknown
  readonly Messages?: readonly {
    readonly MessageAttributes?: object
    readonly MessageId?: string
  }[]
}

interface Call {
  readonly span: AnySpan
  readonly command: Command
}

type Attributes = Readonly<Record<string, { readonly StringValue?: string }>>

/** SQS refuses a message with more; SNS delivers no more to SQS. */
export const MESSAGE_ATTRIBUTES_MAX = 10

const awsSdk: Instrumentation = {
  patches: {
    client(exports, instruments) {
      const { prototype } = (exports as { Client: { prototype: object } }).Client
      wrapMethod(prototype, 'send', (send) => sending(send, instruments))
    }
  }
}

export default awsSdk

function sending(original: AnyFunction, instruments: Instruments): AnyFunction {
  return function (this: Client, ...args: unknown[]): unknown {
    let call: Call | undefined
    try {
      call = begin(this, args[0] as Command, instruments)
    } catch (fault) {
      instruments.guard.report('aws-sdk send', fault)
    }
    if (call === undefined) return original.apply(this, args)
    const { span } = call
    const { contexts } = instruments
    args[0] = call.command
    const end = (error: unknown, output: unknown) => finish(span, error, output, instruments)
    const at = args.findIndex((arg) => typeof arg === 'function')
    if (at > 0) {
      const bound = inContext(contexts.storage, args[at] as AnyFunction)
      args[at] = (error: unknown, output: unknown) => {
        end(error, output)
        return bound(error, output)
      }
    }
    const below = contextWithSpan(contexts.active(), span).setValue(SUPPRESS_KEY, true)
    let result: unknown
    try {
      result = contexts.run(below, () => original.apply(this, args))
    } catch (error) {
      endSpan(span, error)
      throw error
    }
    if (!(result instanceof Promise)) return result
    return result.then(
      (output) => {
        end(undefined, output)
        return output
      },
      (error) => {
        end(error, error)
        throw error
      }
    )
  }
}

function begin(client: Client, command: Command, instruments: Instruments): Call | undefined {
  // The client will refuse it.
  if (typeof command !== 'object' || command === null) return undefined
  const { input = {} } = command
  const service = client.config?.serviceId ?? 'AWS'
  const operation = (command.constructor?.name ?? '').replace(/Command$/, '')
  const { span, input: carried } = start(service, operation, input, instruments)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    span.put(RPC_SYSTEM, 'aws-api')
    span.put(RPC_SERVICE, service)
    span.put(RPC_METHOD, operation)
    describe(span, service, operation, input)
    putRegion(span, client)
  }
  announce(instruments, span)
  const injected = carried(span)
  return { span, command: injected === input ? command : copyOf(command, injected) }
}

/** The app may send its command again. */
function copyOf(command: Command, input: Input): Command {
  return Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input })
}

interface Started {
  readonly span: AnySpan | undefined
  /** What is sent in place of the app's input, once the span is known. */
  readonly input: (span: AnySpan) => Input
}

function start(
  service: string,
  operation: string,
  input: Input,
  instruments: Instruments
): Started {
  const key = `${service}.${operation}`
  const same = () => input
  switch (key) {
    case 'SQS.SendMessage':
    case 'SQS.SendMessageBatch':
    case 'SNS.Publish':
    case 'SNS.PublishBatch': {
      const system = service === 'SQS' ? 'aws_sqs' : 'aws_sns'
      const span = startSend(instruments, system, destinationOf(input))
      return { span, input: (begun) => withContext(input, begun, instruments) }
    }
    case 'SQS.ReceiveMessage': {
      const span = startReceive(instruments, 'aws_sqs', destinationOf(input))
      const asked = (input.MessageAttributeNames ?? []) as readonly string[]
      const hasAll = asked.includes('All') || asked.includes('.*')
      if (hasAll) return { span, input: same }
      const names = [...new Set([...asked, ...instruments.propagator.readFields])]
      return { span, input: () => ({ ...input, MessageAttributeNames: names }) }
    }
    default:
      return { span: startExitSpan(instruments, key, SpanKind.CLIENT), input: same }
  }
}

/** The queue's name is the last part of its address, the topic's of its ARN. */
function destinationOf({ QueueUrl, TopicArn, TargetArn, PhoneNumber }: Input): string {
  if (typeof QueueUrl === 'string') return QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)
  const arn = TopicArn ?? TargetArn
  if (typeof arn === 'string') return arn.slice(arn.lastIndexOf(':') + 1)
  return PhoneNumber === undefined ? 'unknown' : 'phone'
}

function withContext(input: Input, span: AnySpan, instruments: Instruments): Input {
  const headers: [string, string][] = []
  injectHeaders(instruments, span, (name, value) => headers.push([name, value]))
  for (const list of ['Entries', 'PublishBatchRequestEntries']) {
    const entries = input[list]
    if (!Array.isArray(entries)) continue
    if (span instanceof RecordingSpan) span.put(MESSAGING_BATCH_MESSAGE_COUNT, entries.length)
    return { ...input, [list]: entries.map((entry: Input) => carrying(entry, headers)) }
  }
  return carrying(input, headers)
}

function carrying(message: Input, headers: readonly [string, string][]): Input {
  const given = (message.MessageAttributes ?? {}) as Attributes
  const attributes: Record<string, object> = { ...given }
  let count = Object.keys(given).length
  for (const [name, value] of headers) {
    const isNew = attributes[name] === undefined
    if (isNew && count >= MESSAGE_ATTRIBUTES_MAX) continue
    if (isNew) count++
    attributes[name] = { DataType: 'String', StringValue: value }
  }
  return { ...message, MessageAttributes: attributes }
}

function describe(span: RecordingSpan, service: string, operation: string, input: Input): void {
  if (service === 'DynamoDB') {
    span.put(DB_SYSTEM_NAME, 'aws.dynamodb')
    span.put(DB_OPERATION_NAME, operation)
    const { TableName, RequestItems } = input
    const tables = Object.keys((RequestItems ?? {}) as object)
    const table = TableName ?? (tables.length === 1 ? tables[0] : undefined)
    if (typeof table === 'string') span.put(DB_COLLECTION_NAME, table)
  }
  if (typeof input.Bucket === 'string') span.put(AWS_S3_BUCKET, input.Bucket)
}

/** The client resolves its region by itself, before it sends; asking twice gives the same promise's value. */
function putRegion(span: RecordingSpan, { config }: Client): void {
  const region = config?.region
  if (typeof region === 'string') span.put(CLOUD_REGION, region)
  if (typeof region !== 'function') return
  Promise.resolve(region()).then(
    (known: unknown) => {
      if (typeof known === 'string') span.put(CLOUD_REGION, known)
    },
    // The call itself will fail of it.
    () => {}
  )
}

function finish(span: AnySpan, error: unknown, told: unknown, instruments: Instruments): void {
  try {
    const { $metadata, MessageId, Messages } = (told ?? error ?? {}) as Output
    if (span instanceof RecordingSpan) {
      const { requestId, httpStatusCode } = $metadata ?? {}
      if (requestId !== undefined) span.put(AWS_REQUEST_ID, requestId)
      if (httpStatusCode !== undefined) span.put(HTTP_RESPONSE_STATUS_CODE, httpStatusCode)
      if (typeof MessageId === 'string') span.put(MESSAGING_MESSAGE_ID, MessageId)
      if (Array.isArray(Messages)) {
        span.put(MESSAGING_BATCH_MESSAGE_COUNT, Messages.length)
        for (const { MessageAttributes } of Messages) {
          const headers = textHeaders(
            instruments,
            MessageAttributes,
            (attributes, name) => (attributes as Attributes)[name]?.StringValue
          )
          linkToSender(instruments, span, headers)
        }
      }
    }
  } catch (fault) {
    instruments.guard.report('aws-sdk answer', fault)
  }
  endSpan(span, error)
}
