/**
 * A fake at the wire of the services that remote samplers ask: a Jaeger's `/sampling`, or what signs for AWS X-Ray. It
 * speaks their JSON on a free port, keeps what it is asked, and answers what a test says.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export class SamplingFake {
  readonly asked: Asked[] = []
  /** JSON, or a status; undefined is no answer at all. */
  answer: (asked: Asked) => object | number | undefined = () => 503
  #server: Server | undefined
  port = 0

  async listen(port = 0): Promise<this> {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const asked = { method, url, headers, body }
        const answer = this.answer(asked)
        this.asked.push(asked)
        if (typeof answer === 'number') response.writeHead(answer).end()
        else if (answer !== undefined) response.end(JSON.stringify(answer))
      })
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    this.port = (server.address() as AddressInfo).port
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
