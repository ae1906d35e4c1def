/**
 * The data directory: made, tried, and taken by one collector at a time.
 *
 * `collector.lock` names the process that has it, and when that process started where the machine
 * tells (Linux): after a crash, or a restart in a container where every collector is process 1,
 * the number alone may mean another process by now.
 */
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CollectorError, reasonOf } from '../errors.ts'

const LOCK_FILE = 'collector.lock'

export interface DataDir {
  readonly path: string
  /** Lets another collector have it. */
  release(): Promise<void>
}

/** @throws CollectorError CONFIG_DATA_DIR_UNWRITABLE, CONFIG_DATA_DIR_LOCKED */
export async function takeDataDir(directory: string): Promise<DataDir> {
  const path = resolve(directory)
  const lock = join(path, LOCK_FILE)
  const mine = `${process.pid} ${await startOf(process.pid)}\n`
  const draft = join(path, `${LOCK_FILE}.${process.pid}`)
  try {
    await mkdir(path, { recursive: true })
    await writeFile(draft, mine)
  } catch (error) {
    throw new CollectorError('CONFIG_DATA_DIR_UNWRITABLE', [path, reasonOf(error)], error)
  }
  try {
    while (!(await linked(draft, lock))) await removeStale(path, lock, draft)
  } finally {
    await unlink(draft)
  }
  return {
    path,
    async release() {
      if ((await textOf(lock)) === mine) await unlink(lock)
    }
  }
}

/** A link, unlike a write, fails when the name is there: of two at once one gets it. */
async function linked(draft: string, lock: string): Promise<boolean> {
  try {
    await link(draft, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** @throws CollectorError CONFIG_DATA_DIR_LOCKED when its owner lives. */
async function removeStale(path: string, lock: string, draft: string): Promise<void> {
  const found = await textOf(lock)
  if (found === undefined) return
  await throwIfAlive(path, found)
  // Moved before it is removed: should another have taken the lock by now, it gets it back.
  const moved = `${draft}.stale`
  await rename(lock, moved).catch(() => {})
  const text = await textOf(moved)
  if (text !== undefined && text !== found) await linked(moved, lock)
  await unlink(moved).catch(() => {})
}

async function throwIfAlive(path: string, text: string): Promise<void> {
  const [pidText = '', start = ''] = text.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return
  if ((await startOf(pid)) !== start) return
  throw new CollectorError('CONFIG_DATA_DIR_LOCKED', [path, pid])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 22 of /proc/PID/stat, in ticks since boot, and which boot; '-' where there is none. */
async function startOf(pid: number): Promise<string> {
  const stat = await textOf(`/proc/${pid}/stat`)
  const boot = await textOf('/proc/sys/kernel/random/boot_id')
  // The second field is the program's name in brackets, with anything in it.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return ticks === undefined ? '-' : `${boot?.trim()}/${ticks}`
}

async function textOf(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined)
}
