/**
 * Shoppers: a process without the tracer that sends the storefront requests of stated kinds.
 *
 *   --url U            the storefront
 *   --requests N       how many; endless when left out
 *   --per-second R     on average, with random gaps (default 10; 0: as fast as --concurrency lets)
 *   --concurrency C    requests under way at most (default 32)
 *   --seed S           the same seed sends the same requests in the same order (default 1)
 *   --run-id T         part of the order ids, so that two runs do not place the same orders
 *
 * When it is done, or told to stop, it finishes what is under way, reports over IPC (or prints)
 * what it sent and which answers were not the ones it was owed, and ends.
 */
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { PRODUCTS } from './products.ts'
import { DECK, type Pick, REQUEST_KINDS, type RequestKindName } from './request-kinds.ts'

export interface ShopperReport {
  readonly type: 'report'
  readonly requests: number
  readonly byKind: Readonly<Partial<Record<RequestKindName, number>>>
  /** Answered with another status than the kind is owed: the first few, as sentences. */
  readonly unexpected: readonly string[]
  readonly unexpectedCount: number
}

const UNEXPECTED_KEPT_MAX = 20
/** A request that takes longer than this is reported as unanswered. */
const ANSWER_MS_MAX = 30_000
const USERS = 60

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    requests: { type: 'string' },
    'per-second': { type: 'string', default: '10' },
    concurrency: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
    'run-id': { type: 'string', default: '1' }
  }
})
const requestsMax = values.requests === undefined ? Infinity : Number(values.requests)
const perSecond = Number(values['per-second'])
const concurrencyMax = Number(values.concurrency)
const random = seededRandom(Number(values.seed))
const agent = new Agent({ keepAlive: true, maxSockets: concurrencyMax })

const stopping = new AbortController()
for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) {
  process.on(event, () => stopping.abort())
}

const byKind: Partial<Record<RequestKindName, number>> = {}
const unexpected: string[] = []
const underWay = new Set<Promise<void>>()
let sent = 0
let unexpectedCount = 0

await shop()
report()

async function shop(): Promise<void> {
  let deck: RequestKindName[] = []
  let dueMs = performance.now()
  while (sent < requestsMax && !stopping.signal.aborted) {
    if (deck.length === 0) deck = shuffled(DECK)
    if (perSecond > 0) {
      dueMs += (-Math.log(1 - random()) / perSecond) * 1_000
      await wait(Math.max(0, dueMs - performance.now()), undefined, {
        signal: stopping.signal
      }).catch(() => undefined)
      if (stopping.signal.aborted) break
    }
    while (underWay.size >= concurrencyMax) await Promise.race(underWay)
    const done = send(deck.pop()!, sent++).finally(() => underWay.delete(done))
    underWay.add(done)
  }
  await Promise.all(underWay)
  agent.destroy()
}

async function send(kind: RequestKindName, serial: number): Promise<void> {
  byKind[kind] = (byKind[kind] ?? 0) + 1
  const { status: owed, request: requestOf } = REQUEST_KINDS[kind]
  const { method, path, body } = requestOf({
    runId: values['run-id'],
    serial,
    product: 1 + Math.floor(random() * PRODUCTS.length),
    user: 1 + Math.floor(random() * USERS)
  } satisfies Pick) as { method: string; path: string; body?: unknown }
  const answer = await answerTo(method, path, body)
  if (answer === String(owed)) return
  unexpectedCount++
  if (unexpected.length < UNEXPECTED_KEPT_MAX) {
    unexpected.push(`${kind} (${method} ${path}): ${answer} instead of ${owed}`)
  }
}

/** The status, or why there is none. */
function answerTo(method: string, path: string, body: unknown): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(values.url + path, {
      agent,
      method,
      headers: { 'content-type': 'application/json' },
      timeout: ANSWER_MS_MAX
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', (error) => resolve(error.message))
    outgoing.on('response', (incoming) => {
      incoming.resume()
      incoming.on('error', (error) => resolve(error.message))
      incoming.on('end', () => resolve(String(incoming.statusCode)))
    })
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function report(): void {
  const message = {
    type: 'report',
    requests: sent,
    byKind,
    unexpected,
    unexpectedCount
  } satisfies ShopperReport
  if (process.connected) {
    process.send?.(message, () => process.connected && process.disconnect())
  } else if (process.send === undefined) {
    console.log(JSON.stringify(message))
  }
}

function shuffled(deck: readonly RequestKindName[]): RequestKindName[] {
  const cards = [...deck]
  for (let last = cards.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const card = cards[last]!
    cards[last] = cards[other]!
    cards[other] = card
  }
  return cards
}

/** Mulberry32: 32 bits of state are plenty for a shopping list. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
