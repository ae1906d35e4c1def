import tracer from '@spanloom/tracer/register'
import express from 'express'

const app = express()
app.get('/hello/:name', async (request, response) => {
  const text = await tracer.trace(
    'greet',
    { attributes: { who: request.params.name } },
    async (span) => {
      await null
      return `hello ${request.params.name} ${span.isRecording()}`
    }
  )
  response.send(text)
})
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
