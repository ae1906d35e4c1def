/** How HTTP's words become attributes: low-cardinality methods, hosts and ports, redacted addresses. */

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'QUERY'
])

export const OTHER_METHOD = '_OTHER'
/** The span name of a request whose method is none of the known, as the conventions have it. */
export const OTHER_METHOD_NAME = 'HTTP'

const TEXT_CHARS_MAX = 2_048
const PORT_OF_SCHEME: Readonly<Record<string, number>> = { http: 80, https: 443 }

export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : OTHER_METHOD
}

export function portOfScheme(scheme: string): number | undefined {
  return PORT_OF_SCHEME[scheme]
}

export interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

/** More are not remembered: who sends that many makes them up. */
const HOSTS_MAX = 256
const HOST_CHARS_MAX = 256
const hosts = new Map<string, HostPort>()

/** @hot `shop.example:8080`, `[::1]:8080`, `shop.example`. An app has few, and each is read once. */
export function parseHost(header: string): HostPort {
  const known = hosts.get(header)
  if (known !== undefined) return known
  const parsed = parsedHost(header)
  if (hosts.size < HOSTS_MAX && header.length <= HOST_CHARS_MAX) hosts.set(header, parsed)
  return parsed
}

function parsedHost(raw: string): HostPort {
  // No credentials belong here, and whoever puts some must not find them again.
  const header = raw.slice(raw.lastIndexOf('@') + 1)
  const bracket = header.lastIndexOf(']')
  const colon = header.lastIndexOf(':')
  const hasPort =
    colon > bracket && header.indexOf(':') === (bracket < 0 ? colon : header.indexOf(':'))
  const host = hasPort ? header.slice(0, colon) : header
  const port = hasPort ? Number(header.slice(colon + 1)) : Number.NaN
  return {
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port: Number.isInteger(port) && port > 0 ? port : undefined
  }
}

/** What stands alone in a query is a name when it is a word of this length at most, else a value. */
const BARE_NAME = /^[A-Za-z_][\w.-]{0,23}$/

/**
 * Keeps the names of a query and hides the values: `id=7&sig=x` → `id=REDACTED&sig=REDACTED`. A value
 * may be a token or a person; which names are harmless, nobody knows.
 */
export function redactQuery(query: string): string {
  const parts: string[] = []
  for (const part of query.slice(0, TEXT_CHARS_MAX).split('&')) {
    const equals = part.indexOf('=')
    if (equals >= 0) parts.push(`${part.slice(0, equals)}=REDACTED`)
    else parts.push(part === '' || BARE_NAME.test(part) ? part : 'REDACTED')
  }
  return parts.join('&')
}

/** Whether it is a whole address, as a proxy is asked for. */
export function isAbsolute(target: string): boolean {
  return target.charCodeAt(0) !== 47 && /^https?:\/\//i.test(target)
}

/** @hot CONNECT asks for a host and OPTIONS for a star: `http://proxy:3128/shop.example:443`. */
export function fullUrl(origin: string, target: string): string {
  if (target.charCodeAt(0) === 47 || target === '') return origin + target
  return isAbsolute(target) ? target : `${origin}/${target}`
}

/** @hot A path with its query redacted and its fragment gone. */
export function redactTarget(target: string): string {
  if (isAbsolute(target)) {
    const end = target.slice(8).search(/[/?#]|$/) + 8
    return redactOrigin(target.slice(0, end)) + redactTarget(target.slice(end))
  }
  const hash = target.indexOf('#')
  const sent = hash < 0 ? target : target.slice(0, hash)
  const mark = sent.indexOf('?')
  if (mark < 0) return sent.slice(0, TEXT_CHARS_MAX)
  return `${sent.slice(0, mark)}?${redactQuery(sent.slice(mark + 1))}`.slice(0, TEXT_CHARS_MAX)
}

/** `http://user:secret@host` → `http://REDACTED:REDACTED@host`. */
export function redactOrigin(origin: string): string {
  const at = origin.lastIndexOf('@')
  const start = origin.indexOf('://')
  if (at < 0 || start < 0 || at < start) return origin
  return `${origin.slice(0, start + 3)}REDACTED:REDACTED@${origin.slice(at + 1)}`
}
