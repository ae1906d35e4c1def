// A function as the Lambda runtime calls it: frozen right after it has answered, here by SIGSTOP.
import { wrapHandler } from '../../dist/lambda.js'

const handlers = {
  promise: wrapHandler(async (event) => ({ statusCode: 200, body: event.body })),
  callback: wrapHandler((event, _context, callback) => {
    setImmediate(() => callback(null, { statusCode: 200, body: event.body }))
  }),
  plain: wrapHandler((event) => ({ body: event.body })),
  throws: wrapHandler(async () => {
    throw new RangeError('no such order')
  })
}

const [, , which, event] = process.argv
const context = { functionName: 'orders', awsRequestId: 'r-1', invokedFunctionArn: 'arn:orders' }
const handler = handlers[which]

function invoke() {
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
