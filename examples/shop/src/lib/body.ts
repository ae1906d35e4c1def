import type { IncomingMessage, ServerResponse } from 'node:http'

/** 64 KiB: the largest body of the shop is the product list, about 4 KB. */
const BODY_BYTES_MAX = 65_536

/** @throws when the body is too large, cut off or not JSON. */
export async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let byteCount = 0
  for await (const chunk of incoming) {
    byteCount += (chunk as Buffer).length
    if (byteCount > BODY_BYTES_MAX) throw new Error(`A body over ${BODY_BYTES_MAX} bytes.`)
    chunks.push(chunk as Buffer)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
