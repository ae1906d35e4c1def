// A function as the Lambda runtime calls it: frozen right after it has answered, here by SIGSTOP.
import { wrapHandler } from '../../dist/lambda.js'

const handlers = {
  promise: wrapHandler(async (event) => ({ statusCode: 200, body: event.body })),
  callback: wrapHandler((event, _context, callback) => {
    setImmediate(() => callback(null, { statusCode: 200, body: event.body }))
  }),
  plain: wrapHandler((event) => ({ body: event.body })),
  stream: wrapHandler(
    // As `awslambda.streamifyResponse` marks it.
    Object.assign(
      async (event, stream, context) => {
        stream.write(`${context.functionName} ${event.body}`)
        stream.end()
      },
      { [Symbol.for('aws.lambda.runtime.handler.streaming')]: 'response' }
    )
  ),
  throws: wrapHandler(async () => {
    throw new RangeError('no such order')
  })
}

const [, , which, event] = process.argv
const context = { functionName: 'orders', awsRequestId: 'r-1', invokedFunctionArn: 'arn:orders' }
const handler = handlers[which]

/** The runtime of Node 24 and later starts no function that has three parameters, but for streaming ones. */
const refused = Object.keys(handlers).filter((name) => handlers[name].length >= 3)
console.log(`refused ${refused}`)

async function invokeStream() {
  let written = ''
  const stream = {
    write(text) {
      written += text
    },
    end() {}
  }
  await handler(JSON.parse(event), stream, context)
  return written
}

function invoke() {
  if (which === 'stream') return invokeStream()
  return new Promise((resolve, reject) => {
    const result = handler(JSON.parse(event), context, (error, value) =>
      error ? reject(error) : resolve(value)
    )
    if (typeof result?.then === 'function') result.then((value) => value && resolve(value), reject)
  })
}

invoke().then(
  (value) => console.log(`answered ${JSON.stringify(value)}`),
  (error) => console.log(`failed ${error.name}`)
)
// What is not delivered by now never is: the process is killed as soon as it has answered.
