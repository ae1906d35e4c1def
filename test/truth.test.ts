import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const TRUTH = fileURLToPath(new URL('./truth/truth.ts', import.meta.url))
const REQUESTS = 2_400
const RUN_MS_MAX = 400_000

/** The command that the README names, as a person would run it. */
describe('npm run truth', () => {
  it(
    'finds every number right, through a kill -9 and payloads that come twice',
    async () => {
      const { code, stdout, stderr } = await run('--json', '--requests', String(REQUESTS))

      expect(stderr).toBe('')
      const report = JSON.parse(stdout) as Record<string, number>
      console.log(stdout.trim())
      expect(report.requests).toBeGreaterThanOrEqual(REQUESTS)
      expect(report.callsCounted).toBe(report.callsExpected)
      expect(report.errorsCounted).toBe(report.errorsExpected)
      expect(report.errorsExpected).toBeGreaterThan(0)
      expect(report.edgesCounted).toBe(report.edgesExpected)
      expect(report.edgeErrorsCounted).toBe(report.edgeErrorsExpected)
      expect(report.tracesExpected).toBe(report.requests)
      expect(report.tracesStored).toBe(report.tracesExpected)
      expect(report.spansAccepted).toBe(report.spansExpected)
      expect(report.spansStored).toBe(report.spansAccepted)
      expect(report.exemplars).toBeGreaterThan(0)
      expect(report.exemplarsOpen).toBe(report.exemplars)
      expect(report.duplicatesDelivered).toBeGreaterThan(0)
      expect(report.kills).toBe(1)
      expect(code).toBe(0)
    },
    RUN_MS_MAX
  )
})

function run(
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [TRUTH, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    })
  })
}
