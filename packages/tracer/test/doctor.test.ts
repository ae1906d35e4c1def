/** The doctor by hand: real apps, well and ill, and what it says of them. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasOpenssl, makeCertificates } from './certificates.ts'
import { OtlpSink } from './otlp-sink.ts'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const cwd = fileURLToPath(new URL('./apps', import.meta.url))

let sink: OtlpSink

beforeEach(async () => {
  sink = await new OtlpSink().listen()
})
afterEach(async () => {
  await sink.close()
})

function doctor(args: string[], env: Record<string, string> = {}) {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  return new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile(
      process.execPath,
      [cli, 'doctor', ...args],
      { cwd, env: { ...inherited, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env } },
      (error, stdout) => resolve({ code: Number(error?.code ?? 0), stdout })
    )
  })
}

const REGISTERED = ['node', '--import', '@spanloom/tracer/register']

describe('the doctor', { timeout: 30_000 }, () => {
  it('finds a well app well, and says what was of use', async () => {
    const env = { OTEL_SERVICE_NAME: 'shop' }
    const { code, stdout } = await doctor(['--', ...REGISTERED, 'doctor-app.mjs'], env)
    expect(stdout).toMatch(/tracer +\d+\.\d+\.\d+, service "shop"/)
    expect(stdout).toMatch(/collector +http:\S+\/v1\/traces answers \(200/)
    expect(stdout).toMatch(/express +5\.\S+ +instrumented, used 1 time/)
    expect(stdout).toMatch(/pg +8\.\S+ +instrumented, but nothing came through it/)
    expect(stdout).toContain('All is well.')
    expect(code).toBe(0)
  })

  it('says that the tracer was not started, and how to', async () => {
    const { code, stdout } = await doctor(['--', 'node', 'doctor-app.mjs'])
    expect(stdout).toMatch(/tracer +not started/)
    expect(stdout).toMatch(/express +5\.\S+ +not traced/)
    expect(stdout).toContain('node --import @spanloom/tracer/register')
    expect(code).toBe(1)
  })

  it('says what was loaded before the tracer', async () => {
    const { code, stdout } = await doctor(['--', 'node', 'doctor-late.cjs'])
    expect(stdout).toMatch(/express +5\.\S+ +loaded before the tracer, patched afterwards/)
    expect(stdout).toContain('Load the tracer first.')
    expect(code).toBe(1)
  })

  it('says that no collector answers', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', SPANLOOM_EXIT_WAIT: '100' }
    const { code, stdout } = await doctor(['--', ...REGISTERED, 'doctor-app.mjs'], env)
    expect(stdout).toMatch(/Nobody answers at http:\/\/127\.0\.0\.1:9\/v1\/traces \(ECONNREFUSED\)/)
    expect(code).toBe(1)
  })

  it('takes a web page for no collector', async () => {
    sink.answer = () => ({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
    const { code, stdout } = await doctor(['--', 'node', '-e', '0'])
    expect(stdout).toMatch(/collector +\S+ does not answer \(200 with a web page\)/)
    expect(code).toBe(1)
  })

  it.skipIf(!hasOpenssl())('asks by the certificates that are configured', async () => {
    const certificates = makeCertificates()
    const secure = await new OtlpSink().listen(0, {
      cert: certificates.text('server.pem'),
      key: certificates.text('server.key')
    })
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${secure.port}`,
      OTEL_EXPORTER_OTLP_CERTIFICATE: certificates.file('ca.pem')
    }
    const { stdout } = await doctor(['--', ...REGISTERED, 'doctor-app.mjs'], env)
    await secure.close()
    certificates.remove()
    expect(stdout).toMatch(/collector +https:\S+\/v1\/traces answers \(200/)
  })

  it('sees the app behind a package manager, and all processes of a cluster', async () => {
    // What stands between: a process of node that loads nothing, and ends last.
    const behind = (file: string) => [
      '-e',
      `require('child_process').spawnSync('node',['--import','@spanloom/tracer/register','${file}'],{stdio:'inherit'})`
    ]
    const one = await doctor(['--', 'node', ...behind('doctor-app.mjs')])
    expect(one.stdout).toMatch(/express +5\.\S+ +instrumented, used 1 time/)
    const many = await doctor(['--', 'node', ...behind('doctor-cluster.cjs')])
    expect(many.stdout).toMatch(/tracer +\d+.+, in 3 processes and threads/)
    expect(many.stdout).toMatch(/express +5\.\S+ +instrumented, used 2 times/)
    expect(many.code).toBe(0)
  })

  it.each([
    ['ended with exit code 3', ['node', '-e', 'process.exit(3)']],
    ['was ended by SIGKILL', ['node', '-e', 'process.kill(process.pid, "SIGKILL")']],
    ['could not be started (spawn no-such-program ENOENT)', ['no-such-program']]
  ])('says that the app %s', async (how, command) => {
    const { code, stdout } = await doctor(['--', ...command])
    expect(stdout).toContain(`  app         ${how}\n`)
    expect(stdout).toContain(`1. The app ${how}. `)
    expect(stdout).not.toContain('is no Node.js process')
    expect(code).toBe(1)
  })

  it('says that the tracer is switched off', async () => {
    const off = { OTEL_SDK_DISABLED: 'true' }
    const { code, stdout } = await doctor(['--', ...REGISTERED, 'doctor-app.mjs'], off)
    expect(stdout).toMatch(/tracer +switched off/)
    expect(stdout).toContain('take back OTEL_SDK_DISABLED=true')
    expect(code).toBe(1)
  })

  it('ends a server after the seconds given', async () => {
    const { code, stdout } = await doctor([
      ...['--seconds', '2', '--', ...REGISTERED, 'doctor-app.mjs', 'stay']
    ])
    expect(stdout).toMatch(/express +5\.\S+ +instrumented, used 1 time/)
    expect(code).toBe(0)
  })

  it.each([[[]], [['--']], [['--seconds', 'x', '--', 'node']]])(
    'says how it is used: %j',
    async (args) => {
      const { code, stdout } = await doctor(args)
      expect(stdout).toContain('usage: spanloom-tracer doctor')
      expect(code).toBe(2)
    }
  )
})
