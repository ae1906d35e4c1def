/** Against real servers on the loopback: the limits of an answer, and when the next question is asked. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { testParts } from './remote.testkit.ts'
import { ANSWER_BYTES_MAX, askJson, Poll, ServiceNews } from './service.ts'

let server: Server | undefined

afterEach(() => {
  vi.useRealTimers()
  server?.closeAllConnections()
  server?.close()
})

async function serve(listener: RequestListener): Promise<URL> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?q=1`)
}

describe('an answer', () => {
  it('is the JSON of a GET, or of a POST', async () => {
    const url = await serve((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += chunk))
      request.on('end', () =>
        response.end(JSON.stringify([request.method, request.url, request.headers.accept, body]))
      )
    })
    expect(await askJson(url, undefined)).toEqual({
      json: ['GET', '/path?q=1', 'application/json', '']
    })
    expect(await askJson(url, { ä: 1 })).toEqual({
      json: ['POST', '/path?q=1', 'application/json', '{"ä":1}']
    })
  })

  it.each([
    [ANSWER_BYTES_MAX, true],
    [ANSWER_BYTES_MAX + 1, false]
  ])('of %d bytes is read: %s', async (bytes, isRead) => {
    const url = await serve((_, response) => response.end(`"${'x'.repeat(bytes - 2)}"`))
    const answer = await askJson(url, undefined)
    if (isRead) expect(answer).toEqual({ json: 'x'.repeat(bytes - 2) })
    else expect(answer).toEqual({ failure: `more than ${ANSWER_BYTES_MAX} bytes` })
  })

  it.each([
    ['another status', (_: unknown, response) => response.writeHead(302).end('{}'), 'status 302'],
    ['no JSON', (_: unknown, response) => response.end('<html>\n'), '"<html> " is no JSON'],
    ['nothing', (_: unknown, response) => response.end(), '"" is no JSON'],
    ['an end in between', cutShort, 'ECONNRESET']
  ] as [string, RequestListener, string][])('is none: %s', async (_, listener, failure) => {
    expect(await askJson(await serve(listener), undefined)).toEqual({ failure })
  })

  it('that trickles is none', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(timer))
    })
    expect(await askJson(url, undefined, 60)).toEqual({ failure: 'no answer within 60 ms' })
  })

  it('of a server for gRPC is none, and is told apart', async () => {
    // Its first frame: SETTINGS of HTTP/2, empty.
    const grpc = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.end(Buffer.from('000000040000000000', 'hex'))
    })
    await new Promise<void>((resolve) => grpc.listen(0, '127.0.0.1', resolve))
    const { port } = grpc.address() as AddressInfo
    const answer = await askJson(new URL(`http://127.0.0.1:${port}`), undefined)
    grpc.close()
    expect(answer).toEqual({
      failure: 'what is answered is not HTTP/1.1; is this a port for gRPC?'
    })
  })

  it('of nobody is none', async () => {
    const url = await serve(() => {})
    await new Promise((resolve) => server!.close(resolve))
    expect(await askJson(url, undefined)).toEqual({ failure: 'ECONNREFUSED' })
  })
})

const cutShort: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-length': 100 })
  response.write('{')
  setImmediate(() => response.destroy())
}

describe('a poll', () => {
  function pollOf(ask: () => Promise<void>, intervalMs = 1_000) {
    vi.useFakeTimers()
    const untraced = vi.fn((fn: () => void) => fn())
    const { parts, said } = testParts({ untraced })
    return { poll: new Poll({ parts, ask, intervalMs: () => intervalMs }), untraced, said }
  }

  it('asks at once, and again when the interval and its jitter are over', async () => {
    let asked = 0
    const { poll, untraced } = pollOf(async () => void asked++)
    poll.start()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1_049)
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect([asked, untraced.mock.calls.length]).toEqual([2, 2])
    poll.close()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toBe(2)
  })

  it('never asks twice at once, and hurries after the answer', async () => {
    let asked = 0
    let answer: () => void = () => {}
    const { poll } = pollOf(() => {
      asked++
      return new Promise((resolve) => (answer = resolve))
    })
    poll.start()
    await vi.advanceTimersByTimeAsync(0)
    poll.hurry()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toBe(1)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toBe(2)
    answer()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toBe(2)
    poll.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toBe(3)
    poll.close()
    answer()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toBe(3)
  })

  it('survives a fault', async () => {
    let asked = 0
    const { poll, said } = pollOf(async () => {
      asked++
      throw new Error('broken')
    })
    poll.start()
    await vi.advanceTimersByTimeAsync(3_000)
    expect([asked, said.length, said[0]![0]]).toEqual([3, 1, 'INSTRUMENT_FAULT'])
    poll.close()
  })
})

it('news are told once, with the number of failures', () => {
  const { parts, said } = testParts()
  const news = new ServiceNews(new URL('http://me:secret@h:1/a'), parts)
  news.heard()
  news.failed('ECONNREFUSED', 'nothing is used')
  news.failed('ECONNREFUSED', 'nothing is used')
  news.refused('no object', 'nothing is used')
  news.heard()
  news.failed('ECONNREFUSED', 'nothing is used')
  news.heard()
  expect(said).toEqual([
    ['SAMPLE_SERVICE_SILENT', 'h:1', 'ECONNREFUSED', 'nothing is used'],
    ['SAMPLE_STRATEGY_BAD', 'h:1', 'no object', 'nothing is used'],
    ['SAMPLE_SERVICE_BACK', 'h:1', 3]
  ])
})
