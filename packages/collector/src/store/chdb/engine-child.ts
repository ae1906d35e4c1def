/**
 * The embedded engine's own process. It holds the database and nothing else: statements come in,
 * bytes go out. A crash of the engine, or one of its known hangs, ends this process and not the
 * collector.
 *
 * It works in the data directory and names all files relative to it, because `file()` and the
 * config option read some characters of a path as patterns.
 *
 * It never exits in an orderly way: the engine's own exit can hang, and what was inserted is safe
 * from SIGKILL. When the collector is gone (`disconnect`) it kills itself, so that the lock on the
 * data directory is free for the next one.
 */
import {
  CONFIG_FILE,
  ENGINE_DIR,
  type FromChild,
  READER_SESSIONS,
  type ToChild
} from './engine-messages.ts'

/** As far as `chdb` is used here. */
interface Session {
  queryAsync(sql: string, options: { format: string }): Promise<{ bytes(): Uint8Array }>
}
interface Chdb {
  readonly Session: new (path: string, options: { connectionArgs: readonly string[] }) => Session
}

const sessions: Session[] = []
let cancelSession: Session | undefined

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Ctrl-C reaches the whole process group; the collector decides when this process ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('message', (message: ToChild) => {
  if (message.type === 'open') void open()
  else if (message.type === 'run') void run(message.id, message.session, message.sql)
  else void cancel(message.id)
})

function send(message: FromChild): void {
  // The answer may be lost when the collector has just gone; 'disconnect' follows.
  if (process.connected) process.send!(message, undefined, undefined, () => {})
}

/** Asked again by the host while another process holds the lock. */
async function open(): Promise<void> {
  try {
    const loaded = (await import('chdb')) as unknown as { default: Chdb } & Chdb
    const chdb = loaded.Session === undefined ? loaded.default : loaded
    try {
      openSessions(chdb)
      send({ type: 'opened' })
    } catch (error) {
      send({ type: 'openFailed', reason: 'engine', message: messageOf(error) })
    }
  } catch (error) {
    send({ type: 'openFailed', reason: 'missing', message: messageOf(error) })
  }
}

function openSessions(chdb: Chdb): void {
  const options = { connectionArgs: [`--config-file=${CONFIG_FILE}`] }
  const first = new chdb.Session(ENGINE_DIR, options)
  sessions.push(first)
  for (let reader = 0; reader < READER_SESSIONS; reader++) {
    sessions.push(new chdb.Session(ENGINE_DIR, options))
  }
  cancelSession = new chdb.Session(ENGINE_DIR, options)
}

/** A statement begins with this comment, by which `cancel` finds it. */
function tag(id: number): string {
  return `/*statement ${id}*/`
}

async function run(id: number, session: number, sql: string): Promise<void> {
  try {
    const result = await sessions[session]!.queryAsync(`${tag(id)} ${sql}`, {
      format: 'JSONCompactEachRow'
    })
    send({ type: 'result', id, bytes: result.bytes() })
  } catch (error) {
    const message = messageOf(error)
    send({ type: 'error', id, code: Number(/Code: (\d+)/.exec(message)?.[1] ?? 0), message })
  }
}

/** ASYNC, because SYNC never returns in this engine. */
async function cancel(id: number): Promise<void> {
  const sql = `KILL QUERY WHERE startsWith(query, '${tag(id)}') ASYNC`
  await cancelSession?.queryAsync(sql, { format: 'Null' }).catch(() => {})
}

/** With its causes: the engine's own words are in the innermost one. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}
