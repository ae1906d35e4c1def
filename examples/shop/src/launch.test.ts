import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServiceCounts, type Shop, type ShopperReport, startShop } from './launch.ts'
import { DECK, REQUEST_KINDS } from './request-kinds.ts'

/** Without the tracer: the shop's own counts have to be right before anything is held to them. */
describe('the shop', () => {
  const deaths: string[] = []
  let shop: Shop
  let report: ShopperReport
  let counts: Awaited<ReturnType<Shop['counts']>>

  beforeAll(async () => {
    shop = await startShop({ basePort: 0, onDeath: (name, how) => deaths.push(`${name}: ${how}`) })
    report = await shop.shopper({ requests: 300, perSecond: 0, concurrency: 8, seed: 7 }).done
    counts = await shop.counts()
  }, 60_000)

  afterAll(async () => {
    await shop?.stop()
    expect(deaths).toEqual([])
  })

  it('gives every request the answer that its kind is owed', () => {
    expect(report.unexpected).toEqual([])
    expect(report.requests).toBe(300)
    for (const [name, { share }] of Object.entries(REQUEST_KINDS)) {
      expect(report.byKind).toHaveProperty([name], share * 3)
    }
  })

  it('counts at the called what it counts at the caller', () => {
    const { storefront, catalog, orders, payments, recommendations, ratings } = counts
    expect(storefront.calls).toBe(300)
    expect(storefront.called.catalog?.calls).toBe(catalog.calls)
    expect(storefront.called.orders?.calls).toBe(orders.calls)
    expect(storefront.called.recommendations?.calls).toBe(recommendations.calls)
    expect(orders.called.payments?.calls).toBe(payments.calls)
    expect(recommendations.called.ratings?.calls).toBe(ratings.calls)
  })

  it('counts failures where each kind makes them', () => {
    const requestsOf = (...kinds: (keyof typeof REQUEST_KINDS)[]): number =>
      kinds.reduce((sum, kind) => sum + REQUEST_KINDS[kind].share * 3, 0)
    const broken = requestsOf('checkout, failing payment')
    const declined = requestsOf('checkout, declined card')
    const repeated = requestsOf('checkout, placed before')

    expect(counts.storefront.errors).toBe(broken)
    expect(counts.orders.errors).toBe(broken)
    expect(counts.payments.errors).toBe(broken)
    expect(counts.catalog.errors).toBe(0)
    expect(counts.storefront.called.catalog?.failed).toBe(requestsOf('product missing'))
    expect(counts.storefront.called.orders?.failed).toBe(broken + declined + repeated)
    expect(counts.orders.called.payments?.failed).toBe(broken + declined)
    expect(counts.orders.called.shop?.failed).toBe(repeated)
    expect(counts.recommendations.called.ratings?.failed).toBe(failedRatings(counts.ratings))
    expect(counts.recommendations.called.ratings?.failed).toBeGreaterThan(0)
  })

  it('asks the database five questions for an order, and one for a stock', () => {
    const placed = counts.orders.calls - (counts.orders.served['GET /stock/:productId 200'] ?? 0)
    const repeated = REQUEST_KINDS['checkout, placed before'].share * 3
    // BEGIN, INSERT, UPDATE, COMMIT, UPDATE; of a repeated order BEGIN, INSERT, ROLLBACK.
    const expected = counts.orders.calls - placed + (placed - repeated) * 5 + repeated * 3
    expect(counts.orders.called.shop?.calls).toBe(expected)
  })

  it('says which port is taken', async () => {
    const port = Number(shop.addresses.storefront.split(':')[1])
    await expect(startShop({ basePort: port })).rejects.toMatchObject({
      code: 'SHOP_PORT_TAKEN',
      message: expect.stringContaining(String(port))
    })
  }, 60_000)

  it('says which process died', async () => {
    let died: (what: string) => void = () => undefined
    const death = new Promise<string>((resolve) => {
      died = resolve
    })
    const other = await startShop({ basePort: 0, onDeath: (name, how) => died(`${name}: ${how}`) })
    try {
      other.kill('payments')
      expect(await death).toBe('payments: SIGKILL')
    } finally {
      await other.stop()
    }
  }, 60_000)
})

describe('the deck of requests', () => {
  it('has a hundred cards', () => {
    expect(DECK).toHaveLength(100)
  })
})

function failedRatings({ served }: ServiceCounts): number {
  return Object.entries(served)
    .filter(([key]) => !key.endsWith(' 200'))
    .reduce((sum, [, count]) => sum + count, 0)
}
