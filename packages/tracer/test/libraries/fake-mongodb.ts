/**
 * A fake of MongoDB at the wire level: OP_MSG, and OP_QUERY for the drivers' first `hello`. It keeps
 * documents in memory and knows insert, find with equality and `batchSize`, getMore, update by `$set`,
 * delete, aggregate (all documents), and refuses a second document of the same `_id`. What a real server
 * would do beyond is not for it to say: see `ferretdb` in servers.ts.
 *
 *   header   length, request id, answered id, opcode           4 × int32, little-endian
 *   OP_MSG   flags int32, then sections: 0, document            or 1, size int32, name\0, documents…
 */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { RunningServer } from './servers.ts'

type Document = Record<string, unknown>

interface Bson {
  serialize(document: Document): Uint8Array
  deserialize(bytes: Uint8Array): Document
  readonly Long: { fromNumber(value: number): unknown }
}

const OP_REPLY = 1
const OP_QUERY = 2_004
const OP_MSG = 2_013
const HEADER_BYTES = 16

export async function startFakeMongodb(): Promise<RunningServer> {
  const bson = createRequire(import.meta.url)('bson') as Bson
  const store = new Store(bson)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let pending = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
        const size = pending.readInt32LE(0)
        socket.write(answer(pending.subarray(0, size), store, bson))
        pending = pending.subarray(size)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

function answer(message: Buffer, store: Store, bson: Bson): Buffer {
  const opcode = message.readInt32LE(12)
  if (opcode === OP_QUERY) {
    const name = message.indexOf(0, HEADER_BYTES + 4)
    const command = bson.deserialize(documentAt(message, name + 1 + 8))
    const body = Buffer.from(bson.serialize(store.run(command)))
    const prefix = Buffer.alloc(20)
    prefix.writeInt32LE(1, 16)
    return framed(message, OP_REPLY, Buffer.concat([prefix, body]))
  }
  const body = Buffer.from(bson.serialize(store.run(readCommand(message, bson))))
  return framed(message, OP_MSG, Buffer.concat([Buffer.alloc(5), body]))
}

function framed(asked: Buffer, opcode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeInt32LE(HEADER_BYTES + body.length, 0)
  header.writeInt32LE(asked.readInt32LE(4), 8)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, body])
}

function readCommand(message: Buffer, bson: Bson): Document {
  let command: Document = {}
  let at = HEADER_BYTES + 4
  while (at < message.length) {
    const kind = message[at]
    at++
    const size = message.readInt32LE(at)
    if (kind === 0) command = { ...bson.deserialize(documentAt(message, at)), ...command }
    else {
      const nameEnd = message.indexOf(0, at + 4)
      const documents: Document[] = []
      let next = nameEnd + 1
      while (next < at + size) {
        documents.push(bson.deserialize(documentAt(message, next)))
        next += message.readInt32LE(next)
      }
      command[message.toString('utf8', at + 4, nameEnd)] = documents
    }
    at += size
  }
  return command
}

function documentAt(message: Buffer, at: number): Buffer {
  return message.subarray(at, at + message.readInt32LE(at))
}

class Store {
  readonly #collections = new Map<string, Document[]>()
  readonly #cursors = new Map<number, Document[]>()
  readonly #bson: Bson
  #lastCursor = 0

  constructor(bson: Bson) {
    this.#bson = bson
  }

  run(command: Document): Document {
    const name = Object.keys(command)[0]!
    switch (name) {
      case 'hello':
      case 'ismaster':
      case 'isMaster':
        return {
          ismaster: true,
          isWritablePrimary: true,
          maxBsonObjectSize: 16_777_216,
          maxMessageSizeBytes: 48_000_000,
          maxWriteBatchSize: 100_000,
          minWireVersion: 0,
          maxWireVersion: 21,
          ok: 1
        }
      case 'insert':
        return this.#insert(command)
      case 'find':
      case 'aggregate':
        return this.#find(command, command[name] as string)
      case 'getMore':
        return this.#batch(
          command.collection as string,
          this.#cursors.get(Number(command.getMore)) ?? [],
          command.batchSize,
          'nextBatch'
        )
      case 'update':
        return this.#update(command)
      case 'delete':
        return this.#delete(command)
      case 'drop':
        this.#collections.delete(command.drop as string)
        return { ok: 1 }
      case 'ping':
      case 'endSessions':
      case 'create':
      case 'createIndexes':
        return { ok: 1 }
      default:
        return {
          ok: 0,
          code: 59,
          codeName: 'CommandNotFound',
          errmsg: `no such command: "${name}"`
        }
    }
  }

  #documents(collection: string): Document[] {
    const known = this.#collections.get(collection) ?? []
    this.#collections.set(collection, known)
    return known
  }

  #insert({ insert, documents }: Document): Document {
    const kept = this.#documents(insert as string)
    const writeErrors: Document[] = []
    for (const [index, document] of (documents as Document[]).entries()) {
      if (kept.some(({ _id }) => String(_id) === String(document._id))) {
        const errmsg = `E11000 duplicate key error collection: shop.${insert} index: _id_ dup key: { _id: "${document._id}" }`
        writeErrors.push({ index, code: 11_000, errmsg })
      } else kept.push(document)
    }
    const n = (documents as Document[]).length - writeErrors.length
    return { n, ok: 1, ...(writeErrors.length > 0 ? { writeErrors } : {}) }
  }

  #find(command: Document, collection: string): Document {
    const { batchSize } = (command.cursor as Document | undefined) ?? command
    const found = this.#documents(collection).filter((each) => matches(each, command.filter))
    const limit = Math.abs(Number(command.limit ?? 0)) || found.length
    return this.#batch(collection, found.slice(0, limit), batchSize, 'firstBatch')
  }

  #batch(collection: string, documents: Document[], size: unknown, field: string): Document {
    const count = Number(size ?? documents.length)
    const rest = documents.slice(count)
    let id = 0
    if (rest.length > 0) {
      id = ++this.#lastCursor
      this.#cursors.set(id, rest)
    }
    const cursor = {
      id: this.#bson.Long.fromNumber(id),
      ns: `shop.${collection}`,
      [field]: documents.slice(0, count)
    }
    return { cursor, ok: 1 }
  }

  #update({ update, updates }: Document): Document {
    let n = 0
    for (const { q, u } of updates as Document[]) {
      const found = this.#documents(update as string).filter((each) => matches(each, q))
      for (const each of found) Object.assign(each, (u as Document).$set)
      n += found.length
    }
    return { n, nModified: n, ok: 1 }
  }

  #delete({ delete: collection, deletes }: Document): Document {
    let n = 0
    for (const { q } of deletes as Document[]) {
      const kept = this.#documents(collection as string)
      const left = kept.filter((each) => !matches(each, q))
      n += kept.length - left.length
      this.#collections.set(collection as string, left)
    }
    return { n, ok: 1 }
  }
}

/** Equality; operators are taken to match. */
function matches(document: Document, filter: unknown): boolean {
  return Object.entries((filter ?? {}) as Document).every(
    ([name, wanted]) =>
      name.startsWith('$') || wanted?.constructor === Object || document[name] === wanted
  )
}
