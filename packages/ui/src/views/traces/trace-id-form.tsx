import { useState } from 'react'
import { Icon } from '../../components/icons.tsx'
import type { TimeWindow } from '../../model/time-window.ts'
import { navigate } from '../../state/router.ts'

/** A trace id from a log line or a metric's exemplar leads straight to its trace. */
export function TraceIdForm({ window }: { readonly window: TimeWindow }) {
  const [text, setText] = useState('')
  const traceId = /\b[0-9a-f]{32}\b/i.exec(text)?.[0].toLowerCase()
  const isWrong = text.trim() !== '' && traceId === undefined
  return (
    <form
      className="trace-id-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (traceId !== undefined) navigate({ view: 'trace', traceId, window })
      }}
    >
      <label className={`field has-icon${isWrong ? ' is-wrong' : ''}`}>
        <Icon name="search" />
        <input
          type="search"
          className="mono"
          placeholder="Open a trace by its id"
          aria-label="Open a trace by its id"
          aria-invalid={isWrong}
          title={isWrong ? 'A trace id has 32 hex digits' : undefined}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
    </form>
  )
}
