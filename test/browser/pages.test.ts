/** The real pages, in a real browser, on the running shop. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Shop, startShop } from '@spanloom/example-shop'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CollectorProcess, startCollector } from '../lib/collector-process.ts'
import { chromiumMissing, launchChromium } from './chromium.ts'

/** An external peer is known as such only after the wait for its spans, 30 s. */
const MAP_MS_MAX = 90_000
const PAGE_MS_MAX = 20_000

const EDGES = [
  'user:user->service:storefront',
  'service:storefront->service:catalog',
  'service:storefront->service:orders',
  'service:storefront->service:recommendations',
  'service:orders->service:payments',
  'service:orders->database:shop'
]

describe.skipIf(chromiumMissing())('the pages', () => {
  let dataDir: string
  let collector: CollectorProcess
  let shop: Shop
  let browser: Browser
  let page: Page
  const faults: string[] = []

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'spanloom-pages-'))
    collector = await startCollector({ dataDir })
    shop = await startShop({ otlpUrl: collector.otlpUrl, basePort: 0 })
    shop.shopper({ perSecond: 10 })
    browser = await launchChromium()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(PAGE_MS_MAX)
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
  })

  afterAll(async () => {
    await browser?.close()
    await shop?.stop()
    await collector?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('list every service, and count on without a reload', async () => {
    await page.goto(`${collector.uiUrl}/`)
    for (const service of ['storefront', 'catalog', 'orders', 'payments', 'recommendations']) {
      await page.locator(`[data-service="${service}"]`).waitFor()
    }
    const row = page.locator('[data-service="storefront"]')
    const before = await row.textContent()
    await expect.poll(() => row.textContent(), { timeout: PAGE_MS_MAX }).not.toBe(before)
  })

  it('show every service and the database with their edges on the map', async () => {
    await page.goto(`${collector.uiUrl}/map`)
    for (const edge of EDGES) {
      await page.locator(`[data-edge="${edge}"]`).first().waitFor({
        state: 'attached',
        timeout: MAP_MS_MAX
      })
    }
    const external = `service:recommendations->external:${shop.addresses.ratings}`
    await page.locator(`[data-edge="${external}"]`).first().waitFor({
      state: 'attached',
      timeout: MAP_MS_MAX
    })
    await page.locator('[data-node-id="database:shop"]').first().waitFor()
  })

  it('lead from an edge of the map to a trace with its spans', async () => {
    await page.locator('[data-edge="service:orders->service:payments"] .edge-label').first().click()
    await page.locator('[data-panel] a[href^="/traces/"]').first().click()
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/)
    for (const name of ['POST /checkout', 'POST /orders', 'INSERT orders']) {
      await page.locator(`[data-span-name="${name}"]`).first().waitFor()
    }
    await page.locator('[data-span-name="INSERT orders"]').first().click()
    await expect
      .poll(() => page.locator('[data-panel-span]').textContent(), { timeout: PAGE_MS_MAX })
      .toContain('postgresql')
  })

  it('find failed traces of a service', async () => {
    await page.goto(`${collector.uiUrl}/traces?service=orders&status=error`)
    await page.locator('[data-trace-id]').first().waitFor()
    const id = await page.locator('[data-trace-id]').first().getAttribute('data-trace-id')
    const trace = await collector.query('trace', { traceId: id! })
    const failed = trace.spans.filter(
      (span) => span.service === 'orders' && span.status === 'error'
    )
    expect(failed.length).toBeGreaterThan(0)
  })

  it('print no error', () => {
    expect(faults).toEqual([])
  })
})
