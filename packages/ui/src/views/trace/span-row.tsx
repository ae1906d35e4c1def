/** One row of the waterfall. Its bar is pale for the whole span and solid where only it was busy. */
import { type CSSProperties, memo } from 'react'
import { Icon } from '../../components/icons.tsx'
import { formatCount, formatDurationMs, formatDurationNano, plural } from '../../model/format.ts'
import { callParts, callTicks, spanFacts, unpackCalls } from '../../model/span-facts.ts'
import {
  FLAG_EARLY,
  FLAG_ERROR,
  FLAG_ORPHAN,
  relativeNs,
  type TraceModel
} from '../../model/trace-model.ts'
import { hasChildren, selfParts } from '../../model/trace-rows.ts'
import { serviceColour } from '../../state/preferences.ts'
import { SpanBadges } from './span-badges.tsx'

/** More marks than that would be a solid line; the panel has all of them. */
const EVENT_MARKS_MAX = 40
/** Room for a duration beside its bar: "1 m 40 s" and its padding; a longer label takes more. */
const LABEL_PIXELS = 66
const LABEL_CHAR_PIXELS = 6.5
/** Closer than this the calls of a span would be a solid line. */
const TICK_PIXELS_MIN = 3
/** Bars shorter than this can still be seen and clicked. */
const BAR_PIXELS_MIN = 2

interface SpanRowProps {
  readonly model: TraceModel
  readonly index: number
  readonly top: number
  readonly indent: number
  readonly fromNs: number
  readonly rangeNs: number
  readonly barWidth: number
  readonly isCollapsed: boolean
  readonly isCursor: boolean
  readonly isSelected: boolean
  readonly match: 'none' | 'yes' | 'no'
  readonly onToggle: (index: number) => void
  readonly onSelect: (index: number) => void
}

export function rowId(index: number): string {
  return `span-row-${index}`
}

export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
  const { model, index, top, isCollapsed, isCursor, isSelected, match } = props
  const span = model.spans[index]!
  const isError = (model.flags[index]! & FLAG_ERROR) !== 0
  const isParent = hasChildren(model, index)
  const hidden = isCollapsed ? model.subtreeEnd[index]! - index - 1 : 0
  const hiddenErrors = isCollapsed ? model.subtreeErrors[index]! - (isError ? 1 : 0) : 0
  const state = [
    'span-row',
    isError ? 'is-error' : '',
    isCursor ? 'is-cursor' : '',
    isSelected ? 'is-selected' : '',
    match === 'yes' ? 'is-match' : match === 'no' ? 'is-no-match' : ''
  ]
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys for its rows
    // biome-ignore lint/a11y/useFocusableInteractive: the tree names the row by aria-activedescendant
    <div
      id={rowId(index)}
      className={state.filter(Boolean).join(' ')}
      role="treeitem"
      aria-level={model.depth[index]! + 1}
      aria-expanded={isParent ? !isCollapsed : undefined}
      aria-selected={isSelected}
      aria-label={labelOf(model, index)}
      data-span-id={span.spanId}
      data-span-name={span.name}
      style={{ top, '--colour': serviceColour(span.service) } as CSSProperties}
      onClick={() => props.onSelect(index)}
    >
      <div
        className="span-name"
        style={{ '--depth': model.depth[index]!, '--indent': `${props.indent}px` } as CSSProperties}
      >
        {isParent ? (
          <button
            type="button"
            className={`span-toggle${isCollapsed ? '' : ' is-open'}`}
            tabIndex={-1}
            aria-label={isCollapsed ? 'Expand' : 'Collapse'}
            onClick={(event) => {
              event.stopPropagation()
              props.onToggle(index)
            }}
          >
            <Icon name="chevron" size={12} />
          </button>
        ) : (
          <span className="span-toggle" />
        )}
        <i className="service-dot" aria-hidden="true" />
        <span className="clip">
          <b>{span.service}</b> {span.name}
        </span>
        <SpanBadges span={span} />
        {isError && (
          <span className="span-mark is-bad" title={span.statusMessage ?? 'Status: error'}>
            <Icon name="error" size={13} />
          </span>
        )}
        {hidden > 0 && (
          <span className={`span-hidden${hiddenErrors > 0 ? ' is-bad' : ''}`}>
            +{formatCount(hidden)}
            {hiddenErrors > 0 && `, ${plural(hiddenErrors, 'error')}`}
          </span>
        )}
        <FlagMark flags={model.flags[index]!} />
      </div>
      <Bar {...props} />
    </div>
  )
})

function labelOf(model: TraceModel, index: number): string {
  const { service, name, attributes } = model.spans[index]!
  const { callCount, isNPlusOne } = spanFacts(attributes)
  const parts = [`${service} ${name}`, formatDurationNano(model.durationNs[index]!)]
  if (callCount !== undefined) parts.push(`${formatCount(callCount)} calls`)
  if (isNPlusOne) parts.push('N+1')
  if ((model.flags[index]! & FLAG_ERROR) !== 0) parts.push('error')
  return parts.join(', ')
}

function FlagMark({ flags }: { readonly flags: number }) {
  if ((flags & FLAG_ORPHAN) !== 0) {
    return (
      <span className="span-flag" title="The parent that this span names is not in the trace">
        no parent
      </span>
    )
  }
  if ((flags & FLAG_EARLY) !== 0) {
    return (
      <span
        className="span-flag"
        title="Started before its parent: the clocks of two machines differ"
      >
        clock
      </span>
    )
  }
  return null
}

function Bar({ model, index, fromNs, rangeNs, barWidth }: SpanRowProps) {
  const start = model.startNs[index]!
  const duration = model.durationNs[index]!
  const end = start + duration
  const toNs = fromNs + rangeNs
  const left = ((Math.max(start, fromNs) - fromNs) / rangeNs) * 100
  const right = ((Math.min(end, toNs) - fromNs) / rangeNs) * 100
  const isOutside = end < fromNs || start > toNs
  if (isOutside) {
    return (
      <div className="span-bars">
        <span className={`span-beyond ${end < fromNs ? 'is-before' : 'is-after'}`}>
          {end < fromNs ? '‹' : '›'}
        </span>
      </div>
    )
  }
  const pixelNs = rangeNs / barWidth
  const { attributes } = model.spans[index]!
  const { callsTotalMs } = spanFacts(attributes)
  const calls = unpackCalls(attributes)
  const parts =
    calls === undefined
      ? selfParts(model, index, pixelNs * BAR_PIXELS_MIN)
      : callParts(calls, pixelNs * BAR_PIXELS_MIN).map((ns) => start + ns)
  const selfs = []
  for (let at = 0; at < parts.length; at += 2) {
    const from = Math.max(parts[at]!, fromNs)
    const to = Math.min(parts[at + 1]!, toNs)
    if (to <= from) continue
    selfs.push(
      <i
        key={at}
        className="span-self"
        style={{
          left: `${((from - fromNs) / rangeNs) * 100}%`,
          width: `max(1px, ${((to - from) / rangeNs) * 100}%)`
        }}
      />
    )
  }
  const label =
    callsTotalMs === undefined
      ? formatDurationNano(duration)
      : `${formatDurationNano(duration)} · Σ ${formatDurationMs(callsTotalMs)}`
  const labelPixels = Math.max(LABEL_PIXELS, label.length * LABEL_CHAR_PIXELS)
  const roomRight = ((100 - right) / 100) * barWidth
  const roomLeft = (left / 100) * barWidth
  const labelState =
    roomRight > labelPixels ? 'is-right' : roomLeft > labelPixels ? 'is-left' : 'is-inside'
  return (
    <div className="span-bars">
      <i
        className="span-bar"
        style={{ left: `${left}%`, width: `max(${BAR_PIXELS_MIN}px, ${right - left}%)` }}
      />
      {selfs}
      {calls !== undefined &&
        callTicks(calls, pixelNs * TICK_PIXELS_MIN).map((ns) => {
          const place = ((start + ns - fromNs) / rangeNs) * 100
          if (place < 0 || place > 100) return null
          return <i key={ns} className="span-call" style={{ left: `${place}%` }} />
        })}
      <EventMarks model={model} index={index} fromNs={fromNs} rangeNs={rangeNs} />
      <span
        className={`span-duration ${labelState}`}
        title={
          callsTotalMs === undefined
            ? undefined
            : 'From the first call to the last · all calls together'
        }
        style={
          labelState === 'is-left'
            ? { right: `${100 - left}%` }
            : { left: `${labelState === 'is-inside' ? left : right}%` }
        }
      >
        {label}
      </span>
    </div>
  )
}

type EventMarksProps = Pick<SpanRowProps, 'model' | 'index' | 'fromNs' | 'rangeNs'>

function EventMarks({ model, index, fromNs, rangeNs }: EventMarksProps) {
  const { events } = model.spans[index]!
  if (events.length === 0) return null
  return events.slice(0, EVENT_MARKS_MAX).map((event, at) => {
    const place = ((relativeNs(model, event.timeUnixNano) - fromNs) / rangeNs) * 100
    if (place < 0 || place > 100) return null
    return (
      <i
        // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity but their place
        key={at}
        className={`span-event${event.name === 'exception' ? ' is-bad' : ''}`}
        style={{ left: `${place}%` }}
        title={event.name}
      />
    )
  })
}
