/**
 * What may be said of a SQL statement: its text with every literal as `?`, what it does, and to which
 * table. One forward scan, no grammar: it knows strings, dollar quotes, numbers, comments and quoted names,
 * and turns what it does not understand into nothing rather than let a value through.
 */
export interface StatementSummary {
  /** Literals are `?`, comments are gone, blanks are single, lists of literals are one `?`. */
  readonly text: string
  /** Upper case; undefined when the statement does not begin with a word. */
  readonly operation: string | undefined
  /** The first table, as written. */
  readonly table: string | undefined
}

/** Longer statements are cut before they are scanned: nobody reads further, and the scan is on the app's time. */
const SCANNED_CHARS_MAX = 8_192
const TEXT_CHARS_MAX = 2_048
const CACHE_MAX = 512
/** Longer ones are mostly generated with their values inside, and never seen again. */
const CACHED_CHARS_MAX = 2_048

/** MySQL and MariaDB escape by backslash, quote strings by `"` too, names by backticks, and comment by `#`. */
export type SqlDialect = 'standard' | 'mysql'

const caches = {
  standard: new Map<string, StatementSummary>(),
  mysql: new Map<string, StatementSummary>()
}

/** @hot Once per query; statements with parameters are found in the cache. */
export function summarize(sql: string, dialect: SqlDialect = 'standard'): StatementSummary {
  const cache = caches[dialect]
  const known = cache.get(sql)
  if (known !== undefined) return known
  const summary = summarizeAnew(sql, dialect)
  if (sql.length <= CACHED_CHARS_MAX) {
    if (cache.size >= CACHE_MAX) cache.clear()
    cache.set(sql, summary)
  }
  return summary
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|\b(?:[uU]&|[bBxXnN])?'(?:[^']|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?(?:\$\1\$|$)|"(?:[^"]|"")*(?:"|$)|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?\w*|\s+|[\s\S]/g

const MYSQL_TOKEN =
  /--[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?:\b[bBxXnN])?'(?:[^'\\]|\\[\s\S]|'')*(?:'|\\?$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|\\?$)|`(?:[^`]|``)*(?:`|$)|[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?\w*|\s+|[\s\S]/g

const LITERAL_LISTS = /\(\s*\?(?:\s*,\s*\?)+\s*\)/g
const ROW_LISTS = /\(\?\)(?:\s*,\s*\(\?\))+/g

function summarizeAnew(sql: string, dialect: SqlDialect): StatementSummary {
  const isMysql = dialect === 'mysql'
  const pattern = isMysql ? MYSQL_TOKEN : TOKEN
  const parts: string[] = []
  const words: string[] = []
  const scanned = sql.slice(0, SCANNED_CHARS_MAX)
  pattern.lastIndex = 0
  /** `SET app.user TO ada`: there a word is a value. */
  let hidesWords = false
  for (let match = pattern.exec(scanned); match !== null; match = pattern.exec(scanned)) {
    const [token] = match
    if (!isMysql && token.startsWith('/*')) pattern.lastIndex = commentEnd(scanned, match.index)
    const shown = isMysql ? shownMysqlToken(token) : shownToken(token)
    if (shown === ' ') {
      if (parts.length > 0 && parts.at(-1) !== ' ') parts.push(' ')
      continue
    }
    const isValue = hidesWords && /^["`\w]/.test(shown)
    parts.push(isValue ? '?' : shown)
    words.push(shown)
    hidesWords ||= /^(?:=|to)$/i.test(shown) && /^set$/i.test(words[0]!)
  }
  const text = parts
    .join('')
    .trim()
    .replaceAll(LITERAL_LISTS, '(?)')
    .replaceAll(ROW_LISTS, '(?)')
    .slice(0, TEXT_CHARS_MAX)
  const first = words.find((word) => word !== '(')
  const operation =
    first !== undefined && isWord(first) ? first.toUpperCase().slice(0, 32) : undefined
  return { text, operation: effective(operation, words), table: tableOf(operation, words) }
}

/** Comments nest in the standard and in PostgreSQL, and do not in MySQL. */
function commentEnd(sql: string, start: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = start
  let depth = 0
  for (let match = mark.exec(sql); match !== null; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return sql.length
}

function shownToken(token: string): string {
  const first = token.charCodeAt(0)
  if (token.startsWith('--') || token.startsWith('/*') || token.trim() === '') return ' '
  if (first === 39 || token.endsWith("'") || isPrefixedString(token)) return '?'
  if (first === 36) return /^\$\d+$/.test(token) ? token : token.length > 1 ? '?' : token
  if ((first >= 48 && first <= 57) || (first === 46 && token.length > 1)) return '?'
  return token
}

function shownMysqlToken(token: string): string {
  const first = token.charCodeAt(0)
  if (first === 35) return ' '
  if (first === 34) return '?'
  return first === 36 && token.length > 1 ? token : shownToken(token)
}

function isPrefixedString(token: string): boolean {
  return /^(?:[eEbBxXnN]|[uU]&)'/.test(token)
}

function isWord(token: string): boolean {
  return /^[A-Za-z_]/.test(token)
}

/** `WITH x AS (…) SELECT …`: what the statement does is the verb at the outermost level. */
function effective(operation: string | undefined, words: readonly string[]): string | undefined {
  if (operation !== 'WITH') return operation
  return outermostVerb(words)?.verb ?? operation
}

function outermostVerb(words: readonly string[]): { verb: string; at: number } | undefined {
  let depth = 0
  for (const [at, word] of words.entries()) {
    if (word === '(') depth++
    else if (word === ')') depth--
    else if (depth === 0 && /^(?:select|insert|update|delete|merge)$/i.test(word)) {
      return { verb: word.toUpperCase(), at }
    }
  }
  return undefined
}

/** The word after which the table stands, by operation. */
const TABLE_AFTER: Readonly<Record<string, RegExp>> = {
  SELECT: /^from$/i,
  DELETE: /^from$/i,
  INSERT: /^into$/i,
  MERGE: /^into$/i,
  UPDATE: /^update$/i,
  TRUNCATE: /^truncate$/i,
  COPY: /^copy$/i,
  CREATE: /^table$/i,
  ALTER: /^table$/i,
  DROP: /^table$/i
}

/** Words that may stand between that word and the table. */
const SKIPPED = /^(?:only|table|if|not|exists|lateral)$/i

function tableOf(operation: string | undefined, words: readonly string[]): string | undefined {
  if (operation === undefined) return undefined
  const outer = operation === 'WITH' ? outermostVerb(words) : undefined
  const marker = TABLE_AFTER[outer?.verb ?? operation]
  if (marker === undefined) return undefined
  const markerAt = words.findIndex((word, at) => at >= (outer?.at ?? 0) && marker.test(word))
  if (markerAt < 0) return undefined
  let at = markerAt + 1
  while (at < words.length && SKIPPED.test(words[at]!)) at++
  let name = ''
  while (at < words.length) {
    const word = words[at]!
    const isQuoted = word.startsWith('"') || word.startsWith('`')
    if (!isWord(word) && !isQuoted) break
    name += isQuoted ? word.slice(1, -1) : word
    if (words[at + 1] !== '.') break
    name += '.'
    at += 2
  }
  return name === '' ? undefined : name.slice(0, 128)
}
