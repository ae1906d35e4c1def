/**
 * Recommends three products to a user. Node:http; asks for their ratings with fetch at an address
 * that reports no spans. A rating that cannot be had is left out: the answer is still 200.
 */
import { createServer } from 'node:http'
import { answerJson } from './lib/body.ts'
import { callWithFetch } from './lib/call.ts'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'
import { PRODUCTS } from './products.ts'

const { RATINGS_URL } = process.env
const PER_USER = 3

const counter = new Counter()

const server = createServer((request, response) => {
  response.on('close', () => {
    counter.served(request.method ?? '', '/recommendations/:userId', response.statusCode)
  })
  const userNumber = Number(/\d+$/.exec(request.url ?? '')?.[0] ?? 0)
  recommend(userNumber).then(
    (recommended) => answerJson(response, 200, recommended),
    (error: Error) => answerJson(response, 500, { error: error.message })
  )
})

async function recommend(userNumber: number): Promise<unknown> {
  const picks = Array.from({ length: PER_USER }, (_, index) => {
    return PRODUCTS[(userNumber + index * 7) % PRODUCTS.length]!
  })
  return Promise.all(picks.map(async ({ id }) => ({ id, rating: await ratingOf(id) })))
}

async function ratingOf(productId: string): Promise<unknown> {
  try {
    const reply = await callWithFetch(counter, 'ratings', `${RATINGS_URL}/ratings/${productId}`)
    return reply.status === 200 ? reply.body : undefined
  } catch {
    return undefined
  }
}

runService(server, counter)
