/** Charges cards. Plain node:http; slow or failing by what the request says of the card. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { answerJson, readJson } from './lib/body.ts'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'

/** A slow charge takes 300 … 799 ms, by its amount. */
const SLOW_MS_MIN = 300
const SLOW_MS_SPREAD = 500

interface Charge {
  readonly amountCents: number
  readonly card: string
}

const counter = new Counter()

const server = createServer((request, response) => {
  response.on('close', () => {
    counter.served(request.method ?? '', '/charges', response.statusCode)
  })
  charge(request, response).catch((error: Error) => {
    answerJson(response, 400, { error: error.message })
  })
})

async function charge(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { amountCents, card } = (await readJson(request)) as Charge
  if (card === 'slow') await wait(SLOW_MS_MIN + (amountCents % SLOW_MS_SPREAD))
  if (card === 'declined') answerJson(response, 402, { error: 'The card was declined.' })
  else if (card === 'broken') answerJson(response, 500, { error: 'The card network is down.' })
  else answerJson(response, 200, { charged: amountCents })
}

runService(server, counter)
