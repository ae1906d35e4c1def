/**
 * A bad network between the tracers and the collector, on real sockets.
 *
 *   tracer ─→ proxy ─→ collector
 *
 * A seeded share of the requests meets one of these; all others pass:
 * - `answer lost`: the collector accepts, but the tracer hears 503 and sends the same payload again;
 * - `cut`: the same, but the tracer's connection breaks off;
 * - `refused`: the tracer hears 503 and the collector nothing;
 * - `replayed`: all is well, and some seconds later, when the traces are long decided, the collector
 *   is sent the same payload again.
 *
 * Bounded by the run: it remembers a hash per payload, and the bodies that wait to be replayed.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export interface ProxyCounts {
  readonly payloads: number
  readonly answersLost: number
  readonly cuts: number
  readonly refused: number
  readonly replays: number
  /** Payloads that the collector accepted though it had accepted the very same bytes before. */
  readonly duplicatesDelivered: number
  /** No answer from the collector, because it was down. */
  readonly unreachable: number
}

export interface LossyProxy {
  readonly url: string
  /** False: from now on everything passes. */
  faulty: boolean
  counts(): ProxyCounts
  /** Replays that wait for their time. */
  pending(): number
  close(): Promise<void>
}

type Fate = 'pass' | 'answer lost' | 'cut' | 'refused' | 'replayed'
/** Of 100 requests. */
const SHARES: readonly (readonly [Fate, number])[] = [
  ['answer lost', 15],
  ['cut', 10],
  ['refused', 5],
  ['replayed', 15]
]
const REPLAY_AFTER_MS = 5_000
const REPLAY_AGAIN_AFTER_MS = 250

interface Payload {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}
interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export async function startLossyProxy(
  collectorUrl: string,
  random: () => number
): Promise<LossyProxy> {
  const count = {
    payloads: 0,
    answersLost: 0,
    cuts: 0,
    refused: 0,
    replays: 0,
    duplicatesDelivered: 0,
    unreachable: 0
  }
  const accepted = new Set<string>()
  const agent = new Agent({ keepAlive: true })
  const closing = new AbortController()
  let pending = 0

  const deliver = async (payload: Payload): Promise<Answer> => {
    const answer = await forward(collectorUrl, payload, agent)
    if (answer.status === 200) {
      const hash = createHash('sha256').update(payload.body).digest('base64')
      if (accepted.has(hash)) count.duplicatesDelivered++
      accepted.add(hash)
    }
    return answer
  }

  const replay = async (payload: Payload): Promise<void> => {
    pending++
    const signal = closing.signal
    try {
      await wait(REPLAY_AFTER_MS, undefined, { signal })
      while ((await deliver(payload).catch(() => undefined))?.status !== 200) {
        await wait(REPLAY_AGAIN_AFTER_MS, undefined, { signal })
      }
      count.replays++
    } catch {
      // Closed before its time: it was not replayed, and is not counted.
    }
    pending--
  }

  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const payload = await readPayload(incoming)
    const fate = proxy.faulty ? fateOf(random()) : 'pass'
    count.payloads++
    if (fate === 'refused') {
      count.refused++
      refuse(response)
      return
    }
    const answer = await deliver(payload)
    if (fate === 'cut') {
      count.cuts++
      incoming.socket.destroy()
    } else if (fate === 'answer lost') {
      count.answersLost++
      refuse(response)
    } else {
      response.writeHead(answer.status, answer.headers).end(answer.body)
      if (fate === 'replayed' && answer.status === 200) void replay(payload)
    }
  }

  const server = createServer((incoming, response) => {
    pass(incoming, response).catch(() => {
      count.unreachable++
      incoming.socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const proxy: LossyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faulty: true,
    counts: () => ({ ...count }),
    pending: () => pending,
    close: async () => {
      closing.abort()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      agent.destroy()
    }
  }
  return proxy
}

function fateOf(random: number): Fate {
  let left = random * 100
  for (const [fate, share] of SHARES) {
    left -= share
    if (left < 0) return fate
  }
  return 'pass'
}

function refuse(response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': '1' }).end()
}

async function readPayload(incoming: IncomingMessage): Promise<Payload> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { connection: _, host: __, 'content-length': ___, ...headers } = incoming.headers
  delete headers['transfer-encoding']
  return {
    path: incoming.url ?? '/',
    headers: headers as Record<string, string>,
    body: Buffer.concat(chunks)
  }
}

/** @throws when the collector does not answer. */
function forward(collectorUrl: string, payload: Payload, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(collectorUrl + payload.path, {
      agent,
      method: 'POST',
      headers: { ...payload.headers, 'content-length': payload.body.length }
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const { connection: _, 'transfer-encoding': __, ...headers } = incoming.headers
        resolve({ status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) })
      })
    })
    outgoing.end(payload.body)
  })
}
