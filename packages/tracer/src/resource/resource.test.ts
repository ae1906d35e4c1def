import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectResource, nearestPackageName } from './resource.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanloom-resource-'))
  mkdirSync(join(folder, 'app', 'src'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

const facts = (startedAt: string) => ({
  pid: 7,
  nodeVersion: '24.0.0',
  hostName: 'host',
  startedAt
})

describe('the resource', () => {
  it('is named by the nearest package.json that has a name', () => {
    writeFileSync(join(folder, 'package.json'), '{"name":"shop"}')
    writeFileSync(join(folder, 'app', 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'app', 'src', 'package.json'), 'not json')
    expect(nearestPackageName(join(folder, 'app', 'src'))).toBe('shop')
    const resource = detectResource(facts(join(folder, 'app')), {})
    expect(resource.attributes).toMatchObject({
      'service.name': 'shop',
      'telemetry.sdk.name': 'spanloom',
      'telemetry.sdk.language': 'nodejs',
      'process.pid': 7,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '24.0.0',
      'host.name': 'host'
    })
    expect(resource.attributes['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('is an unknown service when nothing names it, and what is configured wins', () => {
    expect(detectResource(facts('/'), {}).attributes['service.name']).toBe('unknown_service:node')
    const configured = detectResource(facts('/'), { 'service.name': 'set', 'host.name': 'other' })
    expect(configured.attributes).toMatchObject({ 'service.name': 'set', 'host.name': 'other' })
  })
})
