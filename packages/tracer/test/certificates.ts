/** A certificate authority of the test's own, made with `openssl`: server and client certificates. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates {
  readonly file: (
    name: 'ca.pem' | 'server.pem' | 'server.key' | 'client.pem' | 'client.key'
  ) => string
  readonly text: (name: Parameters<Certificates['file']>[0]) => Buffer
  readonly remove: () => void
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env.CI === 'true') throw new Error('openssl is missing')
    console.log('openssl is missing: the tests with certificates are skipped')
    return false
  }
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'tracer-certificates-'))
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2'],
    ...['-subj', '/CN=test authority']
  )
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  for (const who of ['server', 'client']) {
    openssl(
      'req',
      '-new',
      ...key,
      '-keyout',
      `${who}.key`,
      '-out',
      `${who}.csr`,
      '-subj',
      `/CN=${who}`
    )
    openssl(
      ...['x509', '-req', '-in', `${who}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2'],
      ...['-CAcreateserial', '-extfile', 'names', '-out', `${who}.pem`]
    )
  }
  return {
    file: (name) => join(folder, name),
    text: (name) => readFileSync(join(folder, name)),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
