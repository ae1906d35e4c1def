/** Minimap and tools above the waterfall. */
import { useEffect, useRef, useState } from 'react'
import { Icon } from '../../components/icons.tsx'
import { Minimap } from '../../draw/minimap.tsx'
import { formatCount, plural } from '../../model/format.ts'
import type { TraceModel } from '../../model/trace-model.ts'
import { KeyHelp } from './key-help.tsx'
import type { TraceState } from './use-trace-state.ts'

/** Long enough that typing does not write every letter into the address. */
const TYPING_MS = 180

interface WaterfallHeadProps {
  readonly model: TraceModel
  readonly state: TraceState
}

export function WaterfallHead({ model, state }: WaterfallHeadProps) {
  return (
    <div className="waterfall-head">
      <Minimap
        model={model}
        rows={state.rows}
        range={state.range}
        isZoomed={state.isZoomed}
        onRange={state.setRange}
      />
      <div className="waterfall-tools">
        <FindField state={state} />
        {state.found !== undefined && (
          <>
            <span className="found-count" role="status">
              {state.found.count === 0
                ? 'Nothing found'
                : plural(state.found.count, 'match', 'matches')}
            </span>
            <button
              type="button"
              className="button is-quiet"
              disabled={state.found.count === 0}
              onClick={() => state.toMatch(1)}
            >
              Next <kbd>n</kbd>
            </button>
            <button
              type="button"
              className="button is-quiet"
              aria-pressed={state.onlyMatches}
              disabled={state.found.count === 0}
              onClick={() => state.setOnlyMatches(!state.onlyMatches)}
            >
              Only matches
            </button>
          </>
        )}
        <span className="grow" />
        {model.errorCount > 0 && (
          <button type="button" className="button is-quiet is-bad" onClick={() => state.toError(1)}>
            <Icon name="error" size={13} />
            Next of {plural(model.errorCount, 'error')} <kbd>e</kbd>
          </button>
        )}
        {state.isZoomed && (
          <button
            type="button"
            className="button is-quiet"
            onClick={() => state.setRange(undefined)}
          >
            Whole trace
          </button>
        )}
        <span className="row-count">
          {formatCount(state.rows.spans.length)} of {plural(model.spanCount, 'span')}
        </span>
        <button
          type="button"
          className="button is-quiet"
          onClick={state.collapseAll}
          title="Collapse all ([)"
        >
          Collapse
        </button>
        <button
          type="button"
          className="button is-quiet"
          onClick={state.expandAll}
          title="Expand all (])"
        >
          Expand
        </button>
        <KeyHelp />
      </div>
    </div>
  )
}

function FindField({ state }: { readonly state: TraceState }) {
  const [text, setText] = useState(state.find)
  const latest = useRef(state)
  latest.current = state
  useEffect(() => setText(state.find), [state.find])
  useEffect(() => {
    if (text === latest.current.find) return
    const timer = window.setTimeout(() => latest.current.setFind(text), TYPING_MS)
    return () => window.clearTimeout(timer)
  }, [text])
  return (
    <label className="field has-icon find-field">
      <Icon name="search" />
      <input
        type="search"
        placeholder="Find in trace: name, service, key=value"
        aria-label="Find in trace"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault()
            state.toMatch(event.shiftKey ? -1 : 1)
          }
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
    </label>
  )
}
