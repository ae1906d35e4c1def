/** What Spanloom's tracer found out about a span: in a word beside its name, in sentences in its panel. */
import type { TraceSpan } from '@spanloom/query-api'
import { formatCount, formatDurationMs, formatDurationNano, plural } from '../../model/format.ts'
import { longestCallNs, type SpanFacts, spanFacts, unpackCalls } from '../../model/span-facts.ts'

export function SpanBadges({ span }: { readonly span: TraceSpan }) {
  const facts = spanFacts(span.attributes)
  const { callCount, callsTotalMs, isNPlusOne, blockedMs, gcPauseMs } = facts
  return (
    <>
      {callCount !== undefined && (
        <span
          className="span-count"
          title={`${plural(callCount, 'equal call')} as one span${callsTotalMs === undefined ? '' : `, ${formatDurationMs(callsTotalMs)} together`}`}
        >
          ×{formatCount(callCount)}
        </span>
      )}
      {isNPlusOne && (
        <span className="span-flag" title={nPlusOneText(facts)}>
          N+1
        </span>
      )}
      {blockedMs !== undefined && (
        <span className="span-flag" title={blockedText(blockedMs)}>
          blocked {formatDurationMs(blockedMs)}
        </span>
      )}
      {gcPauseMs !== undefined && (
        <span className="span-count" title={gcText(gcPauseMs)}>
          GC {formatDurationMs(gcPauseMs)}
        </span>
      )}
    </>
  )
}

export function SpanNotes({ span }: { readonly span: TraceSpan }) {
  const facts = spanFacts(span.attributes)
  const { isNPlusOne, blockedMs, gcPauseMs } = facts
  return (
    <>
      <CallsNote span={span} facts={facts} />
      {isNPlusOne && (
        <p className="note is-warn">
          <b>N+1:</b> {nPlusOneText(facts)}
        </p>
      )}
      {blockedMs !== undefined && (
        <p className="note is-warn">
          <b>Blocked:</b> {blockedText(blockedMs)}
        </p>
      )}
      {gcPauseMs !== undefined && (
        <p className="note">
          <b>GC:</b> {gcText(gcPauseMs)}
        </p>
      )}
    </>
  )
}

function CallsNote({ span, facts }: { readonly span: TraceSpan; readonly facts: SpanFacts }) {
  const { callCount, callsTotalMs } = facts
  if (callCount === undefined) return null
  const calls = unpackCalls(span.attributes)
  const times: string[] = []
  if (callsTotalMs !== undefined) {
    times.push(`${formatDurationMs(callsTotalMs)} together`)
    times.push(`${formatDurationMs(callsTotalMs / callCount)} each on average`)
  }
  if (calls !== undefined) times.push(`${formatDurationNano(longestCallNs(calls))} the longest`)
  return (
    <p className="note">
      <b>{plural(callCount, 'equal call')}</b> as one span
      {times.length > 0 && `: ${times.join(', ')}`}.
    </p>
  )
}

function nPlusOneText({ callCount }: SpanFacts): string {
  const advice = 'Load what they ask for in one call: with IN (…), a join, or a batch.'
  return callCount === undefined
    ? `Below this span equal calls ran one after another, a query for each row of another. ${advice}`
    : `${plural(callCount, 'equal call')} ran one after another, a query for each row of another. ${advice}`
}

function blockedText(blockedMs: number): string {
  return `While this span ran, the event loop of its process stood still for ${formatDurationMs(blockedMs)}: no other request got on in that time.`
}

function gcText(gcPauseMs: number): string {
  return `While this span ran, garbage collection stopped its process for ${formatDurationMs(gcPauseMs)}.`
}
