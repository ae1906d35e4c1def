import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { plural } from '../../model/format.ts'
import { runningCount } from '../../model/open-rows.ts'
import type { TimeWindow } from '../../model/time-window.ts'

/** Says that spans are still running, when there are any: nothing else on the page would. */
export function RunningHint({ window }: { readonly window: TimeWindow }) {
  const { data } = useQuery({ route: 'openSpans', key: '', params: () => ({}) })
  const count = runningCount(data?.spans ?? [])
  if (count === 0) return null
  return (
    <Link
      className="running-hint"
      to={{ view: 'open-spans', window }}
      title="Reported after ten seconds and not ended since"
    >
      <Icon name="clock" size={13} />
      {plural(count, 'span')} still running
    </Link>
  )
}
