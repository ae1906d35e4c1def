/**
 * The process, its service, host and operating system. The command line is not sent, because passwords
 * stand in it; of it there is the main script's path.
 */
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import {
  HOST_ARCH,
  HOST_ID,
  HOST_NAME,
  OS_TYPE,
  OS_VERSION,
  PROCESS_COMMAND,
  PROCESS_EXECUTABLE_NAME,
  PROCESS_EXECUTABLE_PATH,
  PROCESS_PID,
  PROCESS_RUNTIME_DESCRIPTION,
  PROCESS_RUNTIME_NAME,
  PROCESS_RUNTIME_VERSION,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  SERVICE_VERSION
} from '@spanloom/otlp'
import type { Facts } from './facts.ts'

/** Node's words for processors and systems, where the conventions have others. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'x86',
  arm: 'arm32',
  ppc: 'ppc32'
}
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' }

const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id']

/** Name and version in the nearest package.json that has a name, upwards from the main script. */
export function service({ startedAt, readText }: Facts): Attributes {
  for (let folder = startedAt; ; ) {
    const found = serviceOf(readText(join(folder, 'package.json')))
    if (found !== undefined) return found
    const parent = dirname(folder)
    if (parent === folder) return {}
    folder = parent
  }
}

function serviceOf(manifest: string | undefined): Attributes | undefined {
  if (manifest === undefined) return undefined
  try {
    const { name, version } = JSON.parse(manifest) as { name?: unknown; version?: unknown }
    if (typeof name !== 'string' || name === '') return undefined
    const hasVersion = typeof version === 'string' && version !== ''
    return { [SERVICE_NAME]: name, ...(hasVersion ? { [SERVICE_VERSION]: version } : {}) }
  } catch {
    // Not JSON: the search goes on above it.
    return undefined
  }
}

export function serviceInstance(): Attributes {
  // One is needed; the cache would draw a hundred more.
  return { [SERVICE_INSTANCE_ID]: randomUUID({ disableEntropyCache: true }) }
}

export function processOf(facts: Facts): Attributes {
  return {
    [PROCESS_PID]: facts.pid,
    [PROCESS_EXECUTABLE_NAME]: basename(facts.execPath),
    [PROCESS_EXECUTABLE_PATH]: facts.execPath,
    ...(facts.script === undefined ? {} : { [PROCESS_COMMAND]: facts.script }),
    [PROCESS_RUNTIME_NAME]: 'nodejs',
    [PROCESS_RUNTIME_VERSION]: facts.nodeVersion,
    [PROCESS_RUNTIME_DESCRIPTION]: 'Node.js'
  }
}

export function host({ hostName, arch, platform, readText }: Facts): Attributes {
  const attributes: Attributes = {
    [HOST_NAME]: hostName,
    [HOST_ARCH]: ARCHITECTURES[arch] ?? arch
  }
  if (platform !== 'linux') return attributes
  for (const file of MACHINE_ID_FILES) {
    const id = readText(file)?.trim()
    if (id === undefined || !/^[0-9a-f]{32}$/.test(id)) continue
    attributes[HOST_ID] = id
    break
  }
  return attributes
}

export function os({ platform, osRelease }: Facts): Attributes {
  return { [OS_TYPE]: SYSTEMS[platform] ?? platform, [OS_VERSION]: osRelease }
}
