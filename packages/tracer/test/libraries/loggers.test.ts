/** The ids of the active span in the lines of the real loggers. */
import { afterEach, describe, expect, it } from 'vitest'
import { App, REGISTER } from '../child.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

// A main file that is required by an alias is not seen; by its path it is.
const LOGGERS = ['pino', 'pino9', 'pino8', 'winston', 'bunyan', 'bunyan1/lib/bunyan.js']

let app: App | undefined
afterEach(async () => {
  await app?.stop()
  app = undefined
})

interface Result {
  readonly ids: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number }
  readonly lines: Record<string, unknown>[]
}

async function linesOf(
  logger: string,
  how: string,
  env: Record<string, string> = {}
): Promise<Result> {
  app = new App(`${LIBRARY_APPS}loggers.mjs`, {
    nodeArgs: ['--import', REGISTER],
    args: [logger, how],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', ...env }
  })
  return JSON.parse((await app.line(/result (.*)/))[1]!)
}

const cases = LOGGERS.flatMap((logger) => ['require', 'import'].map((how) => [logger, how]))

describe.skipIf(!librariesAreThere)('log lines', { timeout: 60_000 }, () => {
  it.each(cases)('%s by %s', async (logger, how) => {
    const { ids, lines } = await linesOf(logger!, how!)
    const line = (text: string) => lines.find((each) => (each.msg ?? each.message) === text)!
    const added = { trace_id: ids.traceId, span_id: ids.spanId, trace_flags: `0${ids.traceFlags}` }
    expect(line('outside')).not.toHaveProperty('trace_id')
    expect(line('inside')).toMatchObject(added)
    expect(line('with fields')).toMatchObject({ ...added, order: 7 })
    expect(line('in child')).toMatchObject({ ...added, part: 'child' })
    expect(line('broken')).toMatchObject(added)
    for (const text of ['own', 'own in child']) {
      expect(line(text).trace_id).toBe('mine')
      expect(line(text)).not.toHaveProperty('span_id')
    }
    expect(app!.stderr).toBe('')
  })

  it.each(['pino', 'winston', 'bunyan'])(
    '%s: nothing is added when that is off',
    async (logger) => {
      const { lines } = await linesOf(logger, 'require', { DD_LOGS_INJECTION: 'false' })
      expect(lines.filter((line) => 'span_id' in line)).toEqual([])
      expect(lines.map((line) => line.msg ?? line.message)).toContain('inside')
    }
  )

  it('winston: the app’s own objects say each time where they were logged', async () => {
    const { lines } = await linesOf('winston', 'require')
    const expected = lines.flatMap((line) => (line.expected === undefined ? [] : [line.expected]))
    const spanIds = (text: string) =>
      lines.filter((line) => line.message === text).map((line) => line.span_id)
    expect(expected).toHaveLength(2)
    expect(spanIds('again')).toEqual(expected)
    expect(spanIds('failed again')).toEqual(expected)
    expect(lines.find((line) => 'unchanged' in line)!.unchanged).toEqual(['level', 'message'])
  })
})
