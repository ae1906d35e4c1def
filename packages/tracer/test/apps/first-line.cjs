const tracer = require('@spanloom/tracer/register')
const express = require('express')

const app = express()
app.get('/hello/:name', (request, response) => {
  response.send(
    tracer.trace('greet', (span) => `hello ${request.params.name} ${span.isRecording()}`)
  )
})
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
