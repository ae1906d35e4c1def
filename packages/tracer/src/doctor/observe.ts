/**
 * Loaded into the watched process before anything else: notes which libraries the tracer knows are loaded,
 * and whether the tracer was there by then. Writes what it has found to a file of its own in the folder that
 * SPANLOOM_DOCTOR_FOLDER names: soon after a library, every second and at the end, because a server may be killed.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import { renameSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInternalThread, threadId } from 'node:worker_threads'
import { processEnvironment } from '../config/environment.ts'
import { CATALOGUE } from '../instrument/catalogue.ts'
import { hasSoundHooks } from '../instrument/esm-hook.ts'
import { isSupported, TargetFiles } from '../instrument/footers.ts'
import { readManifest } from '../instrument/module-hook.ts'
import type { ModuleTarget } from '../instrument/registry.ts'
import { requireAny } from '../lib/own-file.ts'
import {
  DIAGNOSTICS,
  type Diagnostics,
  type Findings,
  librariesOf,
  type SeenFile
} from './findings.ts'

const WRITE_EVERY_MS = 1_000
/** Sooner after a library: a cluster's worker may be killed within its first second. */
const WRITE_AFTER_MS = 100

const seen: SeenFile[] = []
const known = new Set<string>()
const files = new TargetFiles(CATALOGUE, readManifest)
let librariesLoaded = 0
let writeSoon = () => {}

function diagnostics(): Diagnostics | undefined {
  const tell = (globalThis as Record<symbol, unknown>)[Symbol.for(DIAGNOSTICS)]
  return typeof tell === 'function' ? (tell() as Diagnostics) : undefined
}

function note(path: string): void {
  if (known.has(path)) return
  known.add(path)
  if (path.includes('/node_modules/')) librariesLoaded++
  const beforeTracer = diagnostics() === undefined
  for (const match of files.find(path)) {
    const entry = CATALOGUE.find(({ modules }) => modules?.includes(match.target as ModuleTarget))
    if (entry === undefined) continue
    const { name, version } = match.manifest
    seen.push({
      packageName: name,
      version,
      entry: entry.name,
      supported: entry.versions,
      isSupported: isSupported(match),
      beforeTracer
    })
    writeSoon()
  }
}

function watchImports(): void {
  if (!hasSoundHooks(process.versions.node)) return
  module.registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:')) note(fileURLToPath(url).replaceAll('\\', '/'))
      return nextLoad(url, context)
    }
  })
}

function watchRequires(): void {
  const { cache } = requireAny
  const required = tracingChannel('module.require')
  let size = 0
  const look = () => {
    const paths = Object.keys(cache)
    for (const path of paths.slice(size)) note(path.replaceAll('\\', '/'))
    size = paths.length
  }
  // Before a module is evaluated it is in the cache: what it requires is noted with what it was.
  required.subscribe({ end: look } as unknown as Parameters<typeof required.subscribe>[0])
}

function findings(): Findings {
  const facts = diagnostics()
  return {
    nodeVersion: process.versions.node,
    script: process.argv[1],
    tracer:
      facts === undefined || facts.isOff
        ? { started: false, isOff: facts !== undefined }
        : {
            started: true,
            version: facts.version,
            serviceName: facts.serviceName,
            startedAtMs: facts.startedAtMs
          },
    libraries: librariesOf(seen, facts?.isOff ? undefined : facts?.usages),
    isBundled: process.argv[1] !== undefined && librariesLoaded === 0,
    processes: 1
  }
}

const folder = processEnvironment().SPANLOOM_DOCTOR_FOLDER
if (folder !== undefined && folder !== '' && isInternalThread !== true) {
  const target = join(folder, `${process.pid}-${threadId}.json`)
  watchImports()
  watchRequires()
  const write = () => {
    try {
      // Renamed when it is whole: the reader may come at any time.
      writeFileSync(`${target}.part`, JSON.stringify(findings()))
      renameSync(`${target}.part`, target)
    } catch {
      // The doctor is gone: there is nobody to tell.
    }
  }
  setInterval(write, WRITE_EVERY_MS).unref()
  let waits = false
  writeSoon = () => {
    if (waits) return
    waits = true
    const timer = setTimeout(() => {
      waits = false
      write()
    }, WRITE_AFTER_MS)
    timer.unref()
  }
  process.on('exit', write)
}
