/**
 * A service that says how to sample, asked for JSON over HTTP again and again:
 *
 *   start ─→ ask ─→ answer, or the reason why there is none ─→ wait: interval × 1 … 1.1 ─→ ask …
 *
 * The next wait begins when an answer is there, so no two are under way; the jitter keeps a fleet that was
 * started together from asking together. Each request has a connection of its own: between two are
 * seconds to minutes. Nothing here holds the process, and nothing is traced. Limits: 10 s from the first
 * byte sent to the last received, an answer of 1 MB.
 *
 * What fails is counted. The first time that nothing is heard, the first answer that is no use, and the first
 * that is of use again are told; the last strategy stays in force.
 */
import type { NoticeCode } from '../../notices.ts'
import type { SamplerParts } from '../sampling-settings.ts'

export const ANSWER_BYTES_MAX = 1024 * 1024
const TIMEOUT_MS = 10_000
const JITTER = 0.1

export type Answer = { readonly json: unknown } | { readonly failure: string }

/** A GET, or a POST with this as JSON. */
export function askJson(
  url: URL,
  body: object | undefined,
  timeoutMs = TIMEOUT_MS
): Promise<Answer> {
  return new Promise((resolve) => {
    // Each protocol is loaded when an address has it: TLS is 3 MB.
    const { request: begin } = process.getBuiltinModule(
      url.protocol === 'https:' ? 'node:https' : 'node:http'
    )
    const text = body === undefined ? undefined : JSON.stringify(body)
    const request = begin(url, {
      method: text === undefined ? 'GET' : 'POST',
      agent: false,
      headers: {
        accept: 'application/json',
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      }
    })
    const done = (answer: Answer) => {
      clearTimeout(timer)
      resolve(answer)
      request.destroy()
    }
    const fail = (error: NodeJS.ErrnoException) => done({ failure: reasonOf(error) })
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    timer.unref()
    request.on('socket', (socket) => socket.unref())
    request.on('error', fail)
    request.on('response', (response) => {
      if (response.statusCode !== 200) {
        done({ failure: `status ${response.statusCode}` })
        return
      }
      const chunks: Buffer[] = []
      let size = 0
      response.on('error', fail)
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_BYTES_MAX) fail(new Error(`more than ${ANSWER_BYTES_MAX} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () => done(parsed(Buffer.concat(chunks).toString())))
    })
    request.end(text)
  })
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  // The parser's codes. The specification's own example of an address is one for gRPC.
  if (code?.startsWith('HPE_')) return 'what is answered is not HTTP/1.1; is this a port for gRPC?'
  return code || message || 'no answer'
}

function parsed(text: string): Answer {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return { failure: `"${text.slice(0, 40).replace(/\s+/g, ' ')}" is no JSON` }
  }
}

export interface PollParts {
  /** Read before each wait. */
  readonly intervalMs: () => number
  readonly ask: () => Promise<void>
  readonly parts: SamplerParts
}

export class Poll {
  readonly #poll: PollParts
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  /** Asked for in the middle of an answer: then at once after it. */
  #isHurried = false
  #isClosed = false

  constructor(poll: PollParts) {
    this.#poll = poll
  }

  /** After so long, and then again and again. 0: as soon as the app's own start lets it. */
  start(afterMs = 0): void {
    this.#wait(afterMs)
  }

  /** Now, and not when the wait is over. */
  hurry(): void {
    if (this.#isAsking) this.#isHurried = true
    else this.#wait(0)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    if (this.#isClosed) return
    const { parts } = this.#poll
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => parts.untraced(() => void this.#run()), ms)
    this.#timer.unref()
  }

  async #run(): Promise<void> {
    const { ask, intervalMs, parts } = this.#poll
    this.#isAsking = true
    this.#isHurried = false
    try {
      await ask()
    } catch (fault) {
      parts.guard.report('remote sampling', fault)
    }
    this.#isAsking = false
    this.#wait(this.#isHurried ? 0 : intervalMs() * (1 + JITTER * parts.random()))
  }
}

/** What is told of a service. */
export class ServiceNews {
  /** Since it last answered something of use. */
  #failures = 0
  readonly #told = new Set<NoticeCode>()
  readonly #address: string
  readonly #parts: SamplerParts

  constructor(url: URL, parts: SamplerParts) {
    this.#address = url.host
    this.#parts = parts
  }

  heard(): void {
    const failures = this.#failures
    this.#failures = 0
    if (failures > 0 && this.#isNew('SAMPLE_SERVICE_BACK')) {
      this.#parts.notify('SAMPLE_SERVICE_BACK', this.#address, failures)
    }
  }

  /** `used`: what is in force all the same. */
  failed(reason: string, used: string): void {
    this.#failures++
    if (this.#isNew('SAMPLE_SERVICE_SILENT')) {
      this.#parts.notify('SAMPLE_SERVICE_SILENT', this.#address, reason, used)
    }
  }

  /** Something was answered that is not understood, at least in part. */
  refused(problem: string, used: string): void {
    this.#failures++
    if (this.#isNew('SAMPLE_STRATEGY_BAD')) {
      this.#parts.notify('SAMPLE_STRATEGY_BAD', this.#address, problem, used)
    }
  }

  #isNew(code: NoticeCode): boolean {
    if (this.#told.has(code)) return false
    this.#told.add(code)
    return true
  }
}
