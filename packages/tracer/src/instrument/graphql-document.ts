/** What spans of graphql show of a document, and of errors that quote it. */

export interface Definition {
  readonly kind: string
  readonly operation?: string
  readonly name?: { readonly value: string }
}

export interface Document {
  readonly definitions?: readonly Definition[]
  readonly loc?: { readonly source?: { readonly body?: string } }
}

export const DOCUMENT_CHARS_MAX = 4_096
/** Of one result, or one document; all of them are in the answer. */
export const ERRORS_MAX = 8
/** A document of which more would have to be searched is not quoted. */
export const SEARCHED_CHARS_MAX = 65_536

/** Apps that keep their parsed documents have each one's text made once. */
const shown = new WeakMap<Document, string>()

export function shownDocument(document: Document): string | undefined {
  const known = shown.get(document)
  if (known !== undefined) return known
  const body = document.loc?.source?.body
  if (typeof body !== 'string') return undefined
  const text = withoutLiterals(body)
  shown.set(document, text)
  return text
}

const LITERALS = /"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*(?:"|\\?$)|#[^\n]*|(?<![\w$])-?\d[\w.+-]*/g

export function withoutLiterals(document: string): string {
  // Cut first: a document has no bound of its own.
  return document
    .slice(0, DOCUMENT_CHARS_MAX)
    .replace(LITERALS, (literal) => (literal.startsWith('#') ? '' : '?'))
    .replace(/\s+/g, ' ')
    .trim()
}

/** A literal that an error prints in other letters than the document has. */
const PRINTED_ANEW = /\\|^"""/
/** Shorter ones are found by their quotes alone, or every `a` of the message would be one. */
const BARE_CHARS_MIN = 3

/** The message of an error about the document, with each literal that it quotes as `?`. */
export function withoutQuotes(message: string, document: string): string {
  const literals =
    document.length > SEARCHED_CHARS_MAX ? undefined : (document.match(LITERALS) ?? [])
  if (literals === undefined || literals.some((literal) => PRINTED_ANEW.test(literal))) {
    return message.replace(/"[\s\S]*"/, '?').replace(/-?\d[\w.+-]*/g, '?')
  }
  let text = message
  // The longer ones first: one may be within another.
  for (const literal of [...new Set(literals)].sort((a, b) => b.length - a.length)) {
    if (literal.startsWith('#')) continue
    if (!literal.startsWith('"')) {
      text = replaceNumber(text, literal)
      continue
    }
    text = text.replaceAll(literal, '?')
    const inner = literal.replaceAll('"', '')
    if (inner.length >= BARE_CHARS_MIN) text = text.replaceAll(inner, '?')
  }
  return text
}

function replaceNumber(text: string, literal: string): string {
  const escaped = literal.replace(/[.+]/g, '\\$&')
  return text.replace(new RegExp(`(?<![\\w$.])${escaped}(?![\\w$])`, 'g'), '?')
}
