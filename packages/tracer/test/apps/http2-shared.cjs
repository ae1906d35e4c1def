// A server with both APIs and a client that calls it; `http2` is what the app has loaded. Prints what it kept.
const { trace } = require('@opentelemetry/api')

const active = () => trace.getActiveSpan()?.spanContext().spanId

module.exports = function run({ createServer, connect }) {
  const sessions = new Set()
  const server = createServer()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream, headers) => {
    const path = headers[':path']
    if (path.startsWith('/core')) {
      stream.respond({ ':status': 200 })
      stream.end(JSON.stringify({ headers, active: active() }))
    }
    if (path.startsWith('/reset')) stream.close(2)
  })
  server.on('request', (request, response) => {
    const { url } = request
    if (url.startsWith('/compat')) {
      request.resume()
      request.on('end', () => {
        response.statusCode = url.startsWith('/compat/failed') ? 503 : 200
        response.end(JSON.stringify({ headers: request.headers, active: active() }))
      })
    }
    if (url.startsWith('/grpc')) response.end('{}')
  })

  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address()
    const client = connect(`http://127.0.0.1:${port}`)
    const request = (headers, body) =>
      new Promise((resolve) => {
        const stream = client.request(headers, { endStream: body === undefined })
        const before = active()
        const chunks = []
        stream.setEncoding('utf8')
        stream.on('data', (chunk) => chunks.push(chunk))
        stream.on('error', () => {})
        stream.on('close', () => {
          const text = chunks.join('')
          const answer = text === '' ? undefined : JSON.parse(text)
          resolve({ answer, isKept: before === active() })
        })
        if (body !== undefined) stream.end(body)
      })
    const kept = {}
    const tracer = trace.getTracer('app')
    const calls = {
      core: [{ ':path': '/core?key=secret', 'x-other': 'kept' }],
      compat: [{ ':path': '/compat', ':method': 'POST' }, 'body'],
      failed: [{ ':path': '/compat/failed', ':method': 'POST' }, 'body'],
      reset: [{ ':path': '/reset' }],
      grpc: [{ ':path': '/grpc', 'content-type': 'application/grpc+proto' }]
    }
    for (const [name, call] of Object.entries(calls)) {
      kept[name] = await tracer.startActiveSpan(name, async (span) => {
        const result = await request(...call)
        span.end()
        return result
      })
    }
    console.log(`kept ${JSON.stringify({ port, kept })}`)
    client.close()
    server.close()
  })
}
