import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { formatDurationMs } from '../../model/format.ts'
import { openRows, runningForMs } from '../../model/open-rows.ts'
import { useNow } from '../../state/now.ts'

/** More of one trace says no more. */
const SHOWN_MAX = 3

/** The spans that a trace lacks because they have not ended: rows of a list of notices. */
export function StillRunning({ traceId }: { readonly traceId: string }) {
  const { data } = useQuery({ route: 'openSpans', key: '', params: () => ({}) })
  const now = useNow()
  const { running } = openRows((data?.spans ?? []).filter((span) => span.traceId === traceId))
  return running.slice(0, SHOWN_MAX).map((span) => (
    <li key={span.spanId} data-still-running={span.spanId}>
      <Icon name="clock" size={13} />
      {span.name} of {span.service} is still running, for{' '}
      {formatDurationMs(runningForMs(span, now))} by now. It comes when it has ended.
    </li>
  ))
}
