/**
 * The embedded engine as the collector sees it. It runs in a child process, because it can crash
 * or hang: when it ends, what was under way fails with STORE_UNAVAILABLE and it is started again
 * (after 100 ms, doubling up to 5 s).
 *
 *   inserts, DDL ── one after the other ──→ writer session
 *   selects ── queue, 64 at most ──→ reader session 1, 2
 *
 * Inserts go through a file in `spool/`, in binary: the engine takes binary rows from files only,
 * and three times as fast as text. The journal has the same spans until the insert is confirmed,
 * so the file need not survive anything.
 *
 * A select that is aborted, or too long in the queue or in the engine, is cancelled; if the engine
 * does not react to that, its process is killed: a hang costs seconds, not the night.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { CollectorError } from '../../errors.ts'
import { ident, lit } from '../clickhouse/lit.ts'
import { DATABASE, rowStructure } from '../clickhouse/schema.ts'
import type { Row, RowsForTables, SqlEngine } from '../clickhouse/sql-engine.ts'
import { EngineProcess, type Statement, StatementError } from './child-process.ts'
import {
  engineConfigXml,
  INSERT_SETTINGS,
  SELECT_SECONDS_MAX,
  SELECT_SETTINGS
} from './engine-config.ts'
import { CONFIG_FILE, READER_SESSIONS, SPOOL_DIR, WRITER_SESSION } from './engine-messages.ts'

const SELECTS_WAITING_MAX = 64
/** After the engine's own limit; then it is cancelled from outside, and then killed. */
const CANCEL_GRACE_MS = 2_000
const KILL_GRACE_MS = 5_000
/** An insert of the largest batch takes well under a second, on a disk that is busy a few. */
const INSERT_MS_MAX = 120_000
const RESTART_FIRST_MS = 100
const RESTART_MAX_MS = 5_000
/** It stayed up this long: the next failure is a new one. */
const STEADY_MS = 30_000

/** ClickHouse's numbers. */
const CANNOT_READ_ALL_DATA = 33
const INCORRECT_DATA = 117
const TIMEOUT_EXCEEDED = 159
const MEMORY_LIMIT_EXCEEDED = 241
const TOO_MANY_ROWS_OR_BYTES = 396
const UNREADABLE = [CANNOT_READ_ALL_DATA, INCORRECT_DATA]
const TOO_LARGE = [MEMORY_LIMIT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES]

interface WaitingSelect {
  readonly sql: string
  readonly signal: AbortSignal
  readonly waitingSince: number
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: unknown) => void
}

export class EngineHost implements SqlEngine {
  readonly #dataDir: string
  readonly #onDown: (reason: string) => void
  #process: EngineProcess | undefined
  #downReason = 'it was not opened'
  #closed = false
  #closing: Promise<void> | undefined
  #restartMs = RESTART_FIRST_MS
  #restartTimer: NodeJS.Timeout | undefined
  #lastInsert: Promise<unknown> = Promise.resolve()
  readonly #waiting: WaitingSelect[] = []
  readonly #idleReaders = Array.from({ length: READER_SESSIONS }, (_, index) => index + 1)
  #restarts = 0

  /** `onDown` hears each time that the engine ends by itself, and why. */
  constructor(dataDir: string, onDown: (reason: string) => void) {
    this.#dataDir = resolvePath(dataDir)
    this.#onDown = onDown
  }

  /** Of the engine's process, for tests and for measuring; undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  get restarts(): number {
    return this.#restarts
  }

  async open(signal: AbortSignal): Promise<void> {
    if (/[*?{}]/.test(this.#dataDir)) {
      throw new CollectorError('STORE_DATA_DIR_UNUSABLE', [this.#dataDir])
    }
    await mkdir(join(this.#dataDir, SPOOL_DIR), { recursive: true })
    await this.#removeSpool()
    await writeFile(join(this.#dataDir, CONFIG_FILE), engineConfigXml())
    signal.throwIfAborted()
    await this.#start()
  }

  select(sql: string, signal: AbortSignal): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      if (this.#process === undefined) throw this.#unavailable()
      if (this.#waiting.length >= SELECTS_WAITING_MAX) throw new CollectorError('STORE_BUSY', [])
      // At once, whether it waits or runs; the reader is free when the engine has let go of it.
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push({
        sql,
        signal,
        waitingSince: performance.now(),
        resolve: (rows) => {
          signal.removeEventListener('abort', abort)
          resolve(rows)
        },
        reject: (error) => {
          signal.removeEventListener('abort', abort)
          reject(error)
        }
      })
      this.#next()
    })
  }

  command(sql: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write(sql)
    })
  }

  insert(batch: readonly RowsForTables[], token: string): Promise<void> {
    return this.#inTurn(async () => {
      const name = createHash('sha256').update(token).digest('hex').slice(0, 24)
      for (const [index, rows] of batch.entries()) {
        await this.#insertFile(`${SPOOL_DIR}/${name}-${index}.bin`, rows, token)
      }
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const lastInsert = this.#lastInsert
    this.#closed = true
    clearTimeout(this.#restartTimer)
    this.#failWaiting()
    await lastInsert
    const ending = this.#process
    if (ending !== undefined) {
      ending.kill()
      await ending.ended
    }
    this.#process = undefined
  }

  async #start(): Promise<void> {
    const started = new EngineProcess(this.#dataDir)
    try {
      await started.open()
    } catch (error) {
      started.kill()
      await started.ended
      throw error
    }
    if (this.#closed) {
      started.kill()
      await started.ended
      throw new CollectorError('STORE_CLOSED', [])
    }
    this.#process = started
    const steady = setTimeout(() => {
      this.#restartMs = RESTART_FIRST_MS
    }, STEADY_MS).unref()
    void started.ended.then((reason) => {
      clearTimeout(steady)
      this.#process = undefined
      this.#downReason = reason
      this.#failWaiting()
      if (!this.#closed) this.#onDown(reason)
      this.#restartLater()
    })
  }

  #restartLater(): void {
    if (this.#closed) return
    const waitMs = this.#restartMs
    this.#restartMs = Math.min(waitMs * 2, RESTART_MAX_MS)
    this.#restartTimer = setTimeout(() => {
      this.#restarts++
      this.#start().catch((error: Error) => {
        this.#downReason = error.message
        this.#restartLater()
      })
    }, waitMs)
  }

  /** One after the other; a failed one does not stop those behind it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new CollectorError('STORE_CLOSED', []))
    const done = this.#lastInsert.then(work)
    this.#lastInsert = done.catch(() => {})
    return done
  }

  /** On the writer session. Everything but unreadable rows is a reason to try again. */
  async #write(sql: string): Promise<void> {
    const engine = this.#process
    if (engine === undefined) throw this.#unavailable()
    const timer = setTimeout(() => engine.kill(), INSERT_MS_MAX)
    try {
      await engine.run(WRITER_SESSION, sql).bytes
    } catch (error) {
      if (!(error instanceof StatementError)) throw error
      const unreadable = UNREADABLE.includes(error.clickhouseCode)
      const code = unreadable ? 'STORE_BATCH_INVALID' : 'STORE_UNAVAILABLE'
      throw new CollectorError(code, [error.message], error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Gives free readers what waits longest. */
  #next(): void {
    while (this.#idleReaders.length > 0) {
      const select = this.#waiting.shift()
      if (select === undefined) return
      if (select.signal.aborted) {
        select.reject(select.signal.reason)
        continue
      }
      if (performance.now() - select.waitingSince > SELECT_SECONDS_MAX * 1000) {
        select.reject(new CollectorError('STORE_QUERY_TIMEOUT', [SELECT_SECONDS_MAX]))
        continue
      }
      const reader = this.#idleReaders.pop()!
      void this.#read(reader, select).finally(() => {
        this.#idleReaders.push(reader)
        this.#next()
      })
    }
  }

  async #read(reader: number, select: WaitingSelect): Promise<void> {
    const engine = this.#process
    if (engine === undefined) {
      select.reject(this.#unavailable())
      return
    }
    const statement = engine.run(reader, `${select.sql}\n${SELECT_SETTINGS}`)
    const watch = watchSelect(statement, select.signal, engine)
    try {
      select.resolve(parseRows(await statement.bytes))
    } catch (error) {
      select.reject(selectError(error))
    } finally {
      watch.stop()
    }
  }

  async #insertFile(file: string, { tables, bytes }: RowsForTables, token: string): Promise<void> {
    const path = join(this.#dataDir, file)
    try {
      await writeFile(path, bytes)
      for (const table of tables) {
        const structure = lit(rowStructure(table))
        await this.#write(`INSERT INTO ${DATABASE}.${ident(table)}
SELECT * FROM file(${lit(file)}, 'RowBinary', ${structure})
SETTINGS insert_deduplication_token = ${lit(`${token}:${table}`)}, ${INSERT_SETTINGS}`)
      }
    } finally {
      await rm(path, { force: true })
    }
  }

  #failWaiting(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(this.#unavailable())
  }

  #unavailable(): CollectorError {
    if (this.#closed) return new CollectorError('STORE_CLOSED', [])
    return new CollectorError('STORE_UNAVAILABLE', [this.#downReason])
  }

  /** Files of inserts that a crash cut short: the journal has what was in them. */
  async #removeSpool(): Promise<void> {
    const dir = join(this.#dataDir, SPOOL_DIR)
    for (const name of await readdir(dir)) await rm(join(dir, name), { force: true })
  }
}

/** Cancels on abort or overrun; kills the engine when that has no effect. */
function watchSelect(statement: Statement, signal: AbortSignal, engine: EngineProcess) {
  let killTimer: NodeJS.Timeout | undefined
  const cancel = () => {
    statement.cancel()
    killTimer ??= setTimeout(() => engine.kill(), KILL_GRACE_MS)
  }
  const overrun = setTimeout(cancel, SELECT_SECONDS_MAX * 1000 + CANCEL_GRACE_MS)
  signal.addEventListener('abort', cancel, { once: true })
  return {
    stop() {
      clearTimeout(overrun)
      clearTimeout(killTimer)
      signal.removeEventListener('abort', cancel)
    }
  }
}

function selectError(error: unknown): unknown {
  if (!(error instanceof StatementError)) return error
  if (error.clickhouseCode === TIMEOUT_EXCEEDED) {
    return new CollectorError('STORE_QUERY_TIMEOUT', [SELECT_SECONDS_MAX], error)
  }
  if (TOO_LARGE.includes(error.clickhouseCode)) {
    return new CollectorError('STORE_QUERY_TOO_LARGE', [], error)
  }
  return new CollectorError('STORE_QUERY_FAILED', [error.message], error)
}

const utf8 = new TextDecoder()

function parseRows(bytes: Uint8Array): readonly Row[] {
  if (bytes.length === 0) return []
  const lines = utf8.decode(bytes).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Row)
}
