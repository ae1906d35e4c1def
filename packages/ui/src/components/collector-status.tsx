/** The collector in a word and a dot; everything it counts on a click. */
import type { StatusResponse } from '@spanloom/query-api'
import { useEffect, useId, useRef, useState } from 'react'
import { problemsStore } from '../api/problems.ts'
import { useQuery } from '../api/use-query.ts'
import {
  formatBytes,
  formatCount,
  formatDurationMs,
  formatExact,
  formatRate
} from '../model/format.ts'
import { useStore } from '../state/store.ts'

/** Payloads that are journalled and not yet counted: more than this is seconds behind. */
const LAG_WARN = 100

export function CollectorStatus() {
  const { data, unixMs } = useQuery({ route: 'status', key: '', params: () => ({}) })
  const problems = useStore(problemsStore)
  const perSecond = useSpansPerSecond(data, unixMs)
  const id = useId()
  const isGone = Object.values(problems).some((problem) => problem.isUnreachable)
  const isTroubled = !isGone && Object.keys(problems).length > 0
  const lag = data?.journal.lag ?? 0
  const state = isGone ? 'gone' : isTroubled || lag > LAG_WARN ? 'behind' : 'ok'
  const word = isGone ? 'Not answering' : `${formatRate(perSecond)} spans/s`
  return (
    <div className="status">
      <button
        type="button"
        className={`status-pill is-${data === undefined && !isGone ? 'unknown' : state}`}
        popoverTarget={id}
        title="What the collector did"
      >
        <i aria-hidden="true" />
        <span>{word}</span>
        {lag > 0 && !isGone && <small>lag {formatCount(lag)}</small>}
      </button>
      <div id={id} popover="auto" className="popover">
        {data === undefined ? <p>Nothing is known of the collector yet.</p> : <Facts data={data} />}
      </div>
    </div>
  )
}

function Facts({ data }: { readonly data: StatusResponse }) {
  const facts: readonly (readonly [string, string, boolean?])[] = [
    ['Spans accepted', formatExact(data.spans.accepted)],
    ['Spans stored', formatExact(data.spans.stored)],
    ['Duplicates', formatExact(data.spans.duplicate)],
    ['Late spans', formatExact(data.spans.late)],
    ['Spans dropped', formatExact(data.spans.dropped), data.spans.dropped > 0],
    ['Payloads accepted', formatExact(data.payloads.accepted)],
    ['Payloads rejected', formatExact(data.payloads.rejected), data.payloads.rejected > 0],
    ['Traces open', formatExact(data.traces.open)],
    ['Traces stored', formatExact(data.traces.stored)],
    ['Journal', formatBytes(data.journal.bytes)],
    ['Payloads waiting', formatExact(data.journal.lag), data.journal.lag > LAG_WARN],
    ['Series', formatExact(data.seriesCount)],
    ['Up for', formatDurationMs(data.uptimeMs)],
    ['Version', data.version]
  ]
  return (
    <>
      <h2>Collector</h2>
      <dl className="facts">
        {facts.map(([name, value, isBad]) => (
          <div key={name} className={isBad === true ? 'is-bad' : undefined}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="hint">Since its data directory was made, restarts included.</p>
    </>
  )
}

/** Accepted spans per second between two answers; falls to a mean over a few of them. */
function useSpansPerSecond(data: StatusResponse | undefined, unixMs: number): number | undefined {
  const last = useRef<{ accepted: number; unixMs: number } | undefined>(undefined)
  const [perSecond, setPerSecond] = useState<number | undefined>(undefined)
  useEffect(() => {
    if (data === undefined) return
    const { accepted } = data.spans
    const before = last.current
    last.current = { accepted, unixMs }
    if (before === undefined || unixMs <= before.unixMs || accepted < before.accepted) return
    const now = ((accepted - before.accepted) * 1000) / (unixMs - before.unixMs)
    setPerSecond((mean) => (mean === undefined ? now : mean * 0.5 + now * 0.5))
  }, [data, unixMs])
  return perSecond !== undefined && perSecond < 0.01 ? 0 : perSecond
}
