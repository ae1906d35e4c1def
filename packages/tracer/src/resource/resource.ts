/**
 * Who sends: the resource, the same for every span of the process. By shape it is the SDK's Resource,
 * so that SDK exporters can read it from a span.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { SDK_NAME, SDK_VERSION } from '../version.ts'

export interface Resource {
  readonly attributes: Attributes
  merge(other: Resource | null): Resource
  getRawAttributes(): [string, AttributeValue | undefined][]
}

export function createResource(attributes: Attributes): Resource {
  return {
    attributes,
    merge: (other) => createResource({ ...attributes, ...other?.attributes }),
    getRawAttributes: () => Object.entries(attributes)
  }
}

export interface ProcessFacts {
  readonly pid: number
  readonly nodeVersion: string
  readonly hostName: string
  /** The main script, or where the process was started. */
  readonly startedAt: string
}

export function processFacts(): ProcessFacts {
  const script = process.argv[1]
  return {
    pid: process.pid,
    nodeVersion: process.versions.node,
    hostName: hostname(),
    startedAt: script === undefined ? process.cwd() : dirname(script)
  }
}

/** `configured` wins over what was found out. */
export function detectResource(facts: ProcessFacts, configured: Attributes): Resource {
  return createResource({
    'service.name': nearestPackageName(facts.startedAt) ?? 'unknown_service:node',
    'service.instance.id': randomUUID(),
    'telemetry.sdk.name': SDK_NAME,
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': SDK_VERSION,
    'process.pid': facts.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': facts.nodeVersion,
    'host.name': facts.hostName,
    ...configured
  })
}

/** The `name` in the nearest package.json that has one, upwards from `folder`. */
export function nearestPackageName(folder: string): string | undefined {
  let at = folder
  for (;;) {
    const name = packageName(join(at, 'package.json'))
    if (name !== undefined) return name
    const parent = dirname(at)
    if (parent === at) return undefined
    at = parent
  }
}

function packageName(file: string): string | undefined {
  if (!existsSync(file)) return undefined
  try {
    const name = (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    // Not JSON or not readable: the search goes on above it.
    return undefined
  }
}
