import { useId } from 'react'

const KEYS = [
  ['j k ↓ ↑', 'next, previous span'],
  ['→ ←', 'open, close; to child, to parent'],
  ['Enter', 'details of the span'],
  ['Esc', 'close the details'],
  ['e  E', 'next, previous error'],
  ['/', 'find in trace'],
  ['n  N', 'next, previous match'],
  ['[  ]', 'collapse, expand all'],
  ['Home End', 'first, last span'],
  ['0', 'whole trace']
] as const

export function KeyHelp() {
  const id = useId()
  return (
    <span className="key-help">
      <button
        type="button"
        className="icon-button"
        popoverTarget={id}
        title="Keys"
        aria-label="Keys"
      >
        <kbd>?</kbd>
      </button>
      <div id={id} popover="auto" className="popover">
        <h2>Keys</h2>
        <dl className="facts">
          {KEYS.map(([keys, says]) => (
            <div key={keys}>
              <dt>{says}</dt>
              <dd>
                <kbd>{keys}</kbd>
              </dd>
            </div>
          ))}
        </dl>
        <p className="hint">Drag over the overview to zoom; double-click for the whole trace.</p>
      </div>
    </span>
  )
}
