/** What runs too long or too often, on the pages: open spans, collapsed calls, N+1, blocked event loops. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenSpanRow } from '@spanloom/query-api'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CollectorProcess, startCollector } from '../lib/collector-process.ts'
import { chromiumMissing, launchChromium } from './chromium.ts'

const APP = fileURLToPath(new URL('slow-app.mjs', import.meta.url))
const SERVICE = '<b>slow</b>'
const HOSTILE = '<img src=x onerror="document.title=1">'
/** A report comes after ten seconds. */
const REPORT_MS_MAX = 60_000

describe.skipIf(chromiumMissing())('the pages of a slow app', () => {
  let dataDir: string
  let collector: CollectorProcess
  let app: ChildProcess
  let browser: Browser
  let page: Page
  const faults: string[] = []

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'spanloom-slow-'))
    collector = await startCollector({ dataDir, args: ['--stitch-unsettled-idle-ms', '2000'] })
    app = fork(APP, {
      execArgv: ['--import', '@spanloom/tracer/register'],
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        OTEL_SERVICE_NAME: SERVICE,
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-1',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl,
        // A batch that leaves within the loop of queries would end their group: not on a busy machine either.
        OTEL_BSP_SCHEDULE_DELAY: '3000'
      }
    })
    await once(app, 'message')
    browser = await launchChromium()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(REPORT_MS_MAX)
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
  })

  afterAll(async () => {
    await browser?.close()
    if (app?.exitCode === null) {
      app.kill()
      await once(app, 'exit')
    }
    await collector?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** Resolves when the app has done it. */
  async function tell(what: 'list' | 'wait' | 'release' | 'block'): Promise<void> {
    const done = once(app, 'message')
    app.send(what)
    expect((await done)[0]).toBe(what)
  }

  it('say what would show while nothing runs', async () => {
    await page.goto(`${collector.uiUrl}/open-spans`)
    await page.getByText('Nothing has been running for long').waitFor()
  })

  it('show equal calls as one, with how many, how long, and that it is an N+1', async () => {
    await tell('list')
    await page.goto(`${collector.uiUrl}/traces?service=${encodeURIComponent(SERVICE)}`)
    await page.locator('[data-trace-id]').first().click()
    const query = page.locator('[data-span-name="SELECT items"]')
    await query.waitFor()
    expect(await query.count()).toBe(1)
    expect(await query.textContent()).toMatch(/×24.*N\+1.*\sms · Σ \d+(\.\d+)?\sms/)
    expect(await query.locator('.span-call').count()).toBe(23)

    const root = page.locator('[data-span-name="GET /items"]')
    expect(await root.textContent()).toMatch(/N\+1.*blocked \d+\sms/)
    await root.click()
    const panel = page.locator('[data-panel-span]')
    await panel.getByText('equal calls ran one after another').waitFor()
    await panel.getByText('the event loop of its process stood still').waitFor()
    await query.click()
    await panel.getByText('24 equal calls as one span: ').waitFor()
    expect(await panel.locator('[data-attribute="spanloom.collapsed.count"]').count()).toBe(1)
    expect(await panel.locator('[data-attribute="spanloom.collapsed.calls"]').count()).toBe(0)
  })

  it('show what still runs while it does, the longest first, and count on', async () => {
    await tell('wait')
    const blocked = tell('block')
    await page.goto(`${collector.uiUrl}/open-spans`)
    const rows = page.locator('[data-open-span]')
    await expect.poll(() => rows.count(), { timeout: REPORT_MS_MAX }).toBe(2)
    const names = await rows.locator('th .mono').allTextContents()
    expect(names).toEqual(['GET /wait', HOSTILE])
    expect(await rows.nth(0).textContent()).toContain(SERVICE)
    expect(await rows.nth(0).textContent()).toContain('pod-1')
    expect(await rows.nth(1).textContent()).toMatch(/blocked \d+(\.\d+)?\ss/)

    const runningFor = rows.nth(0).locator('[data-running-for]')
    const before = await runningFor.textContent()
    await expect.poll(() => runningFor.textContent(), { timeout: 10_000 }).not.toBe(before)
    await blocked
  })

  it('lead from what runs to what is stored of its trace', async () => {
    const row = page.locator('[data-open-span]').first()
    await row.locator('.trace-link').click()
    await page.locator('[data-span-name="SELECT lock"]').waitFor()
    expect(await page.locator('[data-span-name="GET /wait"]').count()).toBe(0)
    await page.getByText(`GET /wait of ${SERVICE} is still running`).waitFor()
  })

  it('say on the page of services how many run', async () => {
    await page.goto(`${collector.uiUrl}/`)
    await page.getByText('1 span still running').click()
    await page.waitForURL(/\/open-spans$/)
  })

  it('tell what has ended since from what runs, and lead to it', async () => {
    await tell('release')
    const row = page.locator('[data-open-span]', { hasText: 'GET /wait' })
    await row.getByText('ended').waitFor()
    await row.click()
    await page.locator('[data-panel-span]').getByText('GET /wait').waitFor()
  })

  it('show as many as the collector holds, once they are asked for, and find among them', async () => {
    const many = await answeringPage(browser, 200, {
      spans: Array.from({ length: 2_000 }, openSpan)
    })
    await many.goto(`${collector.uiUrl}/open-spans`)
    await many.getByText('2,000 spans running').waitFor()
    expect(await many.locator('[data-open-span]').count()).toBe(200)
    await many.getByText('Show all 2,000').click()
    await expect.poll(() => many.locator('[data-open-span]').count()).toBe(2_000)
    await many.getByPlaceholder('Filter').fill('job 1999')
    await expect.poll(() => many.locator('[data-open-span]').count()).toBe(1)
    await many.getByPlaceholder('Filter').fill('nobody')
    await many.getByText('Nothing that runs matches').waitFor()
    await many.close()
  })

  it('say so when it is not known what runs', async () => {
    const error = { code: 'QUERY_TOO_MANY', message: 'Too many questions.' }
    const failing = await answeringPage(browser, 400, { error })
    await failing.goto(`${collector.uiUrl}/open-spans`)
    await failing.getByText('It is not known what is running').waitFor()
    await failing.getByText('Too many questions.').waitFor()
    await failing.close()
  })

  it('print no error, and run nothing that a name holds', async () => {
    expect(faults).toEqual([])
    expect(await page.title()).not.toBe('1')
  })
})

/** A page to which the collector answers this about open spans. */
async function answeringPage(browser: Browser, status: number, body: object): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.route('**/api/open-spans', (route) => route.fulfill({ status, json: body }))
  return page
}

function openSpan(_: unknown, index: number): OpenSpanRow {
  const startUnixMs = Date.now() - 11_000 - index * 100
  return {
    traceId: index.toString(16).padStart(32, '0'),
    spanId: index.toString(16).padStart(16, '0'),
    ...{ service: `worker-${index % 12}`, instance: `pod-${index % 40}`, name: `job ${index}` },
    ...{ kind: 'consumer', startUnixMs, reportedUnixMs: startUnixMs + 10_000, stored: 'none' },
    eventLoopBlockedMs: index % 7 === 0 ? 12_345 : 0
  }
}
