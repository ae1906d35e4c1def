import { LIMITS } from '@spanloom/query-api'
import { CopyButton } from '../../components/copy-button.tsx'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { safeHref } from '../../model/safe-url.ts'
import type { TimeWindow } from '../../model/time-window.ts'

/** A value this long is code or a document: it gets a block of its own. */
const INLINE_CHARS_MAX = 90

interface AttributesProps {
  readonly values: Readonly<Record<string, string>>
  readonly service: string
  readonly window: TimeWindow
  /** Without tools, where a search for the attribute would find nothing. */
  readonly isPlain?: boolean
}

export function Attributes({ values, service, window, isPlain = false }: AttributesProps) {
  const names = Object.keys(values).sort()
  if (names.length === 0) return isPlain ? null : <p className="hint">None.</p>
  return (
    <dl className="attributes">
      {names.map((name) => {
        const value = values[name] ?? ''
        const pair = `${name}=${value}`
        const canSearch = !isPlain && pair.length <= LIMITS.attributeChars
        return (
          <div key={name} className="attribute" data-attribute={name}>
            <dt title={name}>{name}</dt>
            <dd>
              <Value value={value} />
              <span className="attribute-tools">
                {canSearch && (
                  <Link
                    className="icon-button"
                    title={`Traces with ${name}=${value.slice(0, 60)}`}
                    to={{ view: 'traces', window, search: { service, attributes: [pair] } }}
                  >
                    <Icon name="search" />
                  </Link>
                )}
                <CopyButton text={value} label={`Copy the value of ${name}`} />
              </span>
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

function Value({ value }: { readonly value: string }) {
  const href = safeHref(value)
  if (href !== undefined) {
    return (
      <a className="value" href={href} target="_blank" rel="noopener noreferrer nofollow">
        {value}
      </a>
    )
  }
  if (value.includes('\n') || value.length > INLINE_CHARS_MAX) {
    return <pre className="value">{value}</pre>
  }
  return <code className="value">{value === '' ? '(empty)' : value}</code>
}
