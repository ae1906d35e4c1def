/**
 * What the detectors read: this process, its environment, and files. It is passed in, so that each
 * platform can be tested anywhere. Nothing is asked over the network: a metadata service that does not
 * answer would hold up the start.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { hostname, release } from 'node:os'
import { dirname } from 'node:path'
import type { Environment } from '../config/environment.ts'

export interface Facts {
  readonly pid: number
  readonly nodeVersion: string
  readonly hostName: string
  readonly platform: string
  readonly arch: string
  readonly osRelease: string
  /** The executable, and the main script if there is one. */
  readonly execPath: string
  readonly script: string | undefined
  /** The main script's folder, or where the process was started. */
  readonly startedAt: string
  readonly environment: Environment
  /** Undefined when the file is not there, is no file, or may not be read. */
  readText(path: string): string | undefined
}

/** A mount table has some hundred lines; what is larger than this is none of the files that are read. */
const FILE_BYTES_MAX = 4 * 1024 * 1024

export function processFacts(environment: Environment): Facts {
  const script = process.argv[1]
  return {
    pid: process.pid,
    nodeVersion: process.versions.node,
    hostName: hostname(),
    platform: process.platform,
    arch: process.arch,
    osRelease: release(),
    execPath: process.execPath,
    script,
    startedAt: script === undefined ? workingFolder() : dirname(script),
    environment,
    readText
  }
}

/** It may have been removed. */
function workingFolder(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

export function readText(path: string): string | undefined {
  try {
    // Most files are not there, and an exception costs ten times this. Under --permission it throws as well.
    if (!existsSync(path)) return undefined
    const stats = statSync(path)
    if (!stats.isFile() || stats.size > FILE_BYTES_MAX) return undefined
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
