/** Calling another service, once with fetch and once with node:http, and counting the outcome. */
import { request } from 'node:http'
import { readJson } from './body.ts'
import type { Counter } from './counter.ts'

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** @throws when there is no answer. */
export async function callWithFetch(
  counter: Counter,
  target: string,
  url: string,
  init?: RequestInit
): Promise<Reply> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (error) {
    counter.called(target, true)
    throw error
  }
  counter.called(target, response.status >= 400)
  return { status: response.status, body: await response.json() }
}

/** @throws when there is no answer. */
export function callWithHttp(
  counter: Counter,
  target: string,
  url: string,
  method: 'GET' | 'POST' = 'GET',
  payload?: unknown
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: { 'content-type': 'application/json' } })
    let answered = false
    outgoing.on('response', (incoming) => {
      answered = true
      const status = incoming.statusCode ?? 0
      counter.called(target, status >= 400)
      readJson(incoming).then((body) => resolve({ status, body }), reject)
    })
    outgoing.on('error', (error) => {
      if (!answered) counter.called(target, true)
      reject(error)
    })
    outgoing.end(payload === undefined ? undefined : JSON.stringify(payload))
  })
}
