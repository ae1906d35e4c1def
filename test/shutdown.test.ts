/**
 * A stop loses nothing: what the tracers hold when the services are told to stop, and what the
 * collector has in hand when it is, is all there after the next start.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startShop } from '@spanloom/example-shop'
import { afterAll, expect, it } from 'vitest'
import { startCollector } from './lib/collector-process.ts'
import { waitFor } from './lib/wait-for.ts'
import { apiRows, differences, expectedRows } from './truth/rows.ts'

const REQUESTS = 200
const WINDOW_MS = 600_000
/** A call to an address that sends no spans counts after the wait for them, 30 s. */
const SETTLE_MS_MAX = 60_000

const dir = mkdtempSync(join(tmpdir(), 'spanloom-shutdown-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

it('a stop in the middle of things loses no call, no edge and no trace', async () => {
  const first = await startCollector({ dataDir: dir })
  const shop = await startShop({ otlpUrl: first.otlpUrl, basePort: 0 })
  await shop.shopper({ requests: REQUESTS, perSecond: 0, concurrency: 8 }).done
  const expected = expectedRows(await shop.counts(), shop.addresses.ratings)
  // At once: the last spans are still in the tracers, and then in the journal.
  await shop.stop()
  expect(await first.stop()).toBe(0)

  const second = await startCollector({ dataDir: dir })
  try {
    const window = { from: Date.now() - WINDOW_MS }
    const read = async () =>
      apiRows(await second.query('services', window), await second.query('graph', window))
    await waitFor('all that was sent', SETTLE_MS_MAX, async () => {
      const status = await second.query('status', {})
      const isStored = status.traces.open === 0 && status.spans.stored === status.spans.accepted
      return (isStored && differences(expected, { API: await read() }).length === 0) || undefined
    }).catch(() => undefined)
    expect(differences(expected, { API: await read() })).toEqual([])
    expect((await second.query('status', {})).traces.stored).toBe(REQUESTS)
  } finally {
    await second.stop()
  }
})
