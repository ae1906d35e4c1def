/** What shoppers do, in which shares, and which status the shop owes them for it. */

/** `serial` is unique in a run; the other numbers are random. */
export interface Pick {
  readonly runId: string
  readonly serial: number
  readonly product: number
  readonly user: number
}

export interface ShopRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

interface RequestKind {
  /** Of 100 requests. */
  readonly share: number
  readonly status: number
  readonly request: (pick: Pick) => ShopRequest
}

const checkout =
  (card: string) =>
  ({ runId, serial, product, user }: Pick): ShopRequest => ({
    method: 'POST',
    path: '/checkout',
    body: {
      orderId: `order-${runId}-${serial}`,
      productId: `p${product}`,
      userId: `user-${user}`,
      card
    }
  })

/** Ratings of p13 and p27 cannot be had: user 12 is recommended the first, user 26 the second. */
const USER_WITHOUT_A_RATING = 12
const USER_CUT_OFF = 26

export const REQUEST_KINDS = {
  home: { share: 24, status: 200, request: () => ({ method: 'GET', path: '/' }) },
  product: {
    share: 26,
    status: 200,
    request: ({ product }) => ({ method: 'GET', path: `/products/p${product}` })
  },
  'product missing': {
    share: 3,
    status: 404,
    request: ({ serial }) => ({ method: 'GET', path: `/products/gone-${serial}` })
  },
  recommendations: {
    share: 15,
    status: 200,
    request: ({ user }) => ({ method: 'GET', path: `/recommendations/user-${user}` })
  },
  'recommendations, a rating fails': {
    share: 2,
    status: 200,
    request: () => ({ method: 'GET', path: `/recommendations/user-${USER_WITHOUT_A_RATING}` })
  },
  'recommendations, a rating hangs up': {
    share: 2,
    status: 200,
    request: () => ({ method: 'GET', path: `/recommendations/user-${USER_CUT_OFF}` })
  },
  checkout: { share: 18, status: 201, request: checkout('good') },
  'checkout, slow payment': { share: 4, status: 201, request: checkout('slow') },
  'checkout, failing payment': { share: 3, status: 502, request: checkout('broken') },
  'checkout, declined card': { share: 2, status: 402, request: checkout('declined') },
  'checkout, placed before': {
    share: 1,
    status: 409,
    request: ({ product, user }) => ({
      method: 'POST',
      path: '/checkout',
      body: {
        orderId: 'order-of-yesterday',
        productId: `p${product}`,
        userId: `user-${user}`,
        card: 'good'
      }
    })
  }
} as const satisfies Record<string, RequestKind>

export type RequestKindName = keyof typeof REQUEST_KINDS

/** A pack of 100, so that any hundred requests in a row have exactly the stated shares. */
export const DECK: readonly RequestKindName[] = Object.entries(REQUEST_KINDS).flatMap(
  ([name, { share }]) => Array<RequestKindName>(share).fill(name as RequestKindName)
)
