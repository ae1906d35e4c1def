/** A typed client over fetch, for the UI, the tests and whoever scripts against a collector. */
import type { ErrorBody } from './params.ts'
import { ROUTES, type RouteAnswers, type RouteName, type RouteParams } from './routes.ts'

export type QueryClient = <Name extends RouteName>(
  route: Name,
  params: RouteParams<Name>,
  signal?: AbortSignal
) => Promise<RouteAnswers[Name]>

/** What the collector answered with a status of 400 and above, or that it did not answer JSON. */
export class QueryError extends Error {
  readonly code: string
  readonly httpStatus: number

  constructor(code: string, message: string, httpStatus: number) {
    super(message)
    this.name = 'QueryError'
    this.code = code
    this.httpStatus = httpStatus
  }
}

/** `baseUrl` is the UI's address without a slash at the end; '' in a page that it served. */
export function createQueryClient(baseUrl: string): QueryClient {
  return async function query(route, params, signal) {
    const response = await fetch(baseUrl + pathWithQuery(ROUTES[route].path, params), {
      headers: { accept: 'application/json' },
      ...(signal === undefined ? {} : { signal })
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok && body !== undefined) return body as never
    const error = (body as ErrorBody | undefined)?.error
    throw new QueryError(
      error?.code ?? 'QUERY_NOT_JSON',
      error?.message ?? `The collector answered ${response.status} without saying why.`,
      response.status
    )
  }
}

function pathWithQuery(path: string, params: object): string {
  const search = new URLSearchParams()
  let filled = path
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    if (filled.includes(`:${name}`)) {
      filled = filled.replace(`:${name}`, encodeURIComponent(String(value)))
    } else if (Array.isArray(value)) {
      for (const item of value) search.append(name, String(item))
    } else {
      search.append(name, String(value))
    }
  }
  const query = search.toString()
  return query === '' ? filled : `${filled}?${query}`
}
