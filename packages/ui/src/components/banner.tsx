import { problemsStore } from '../api/problems.ts'
import { askAllNow } from '../api/use-query.ts'
import { formatClock } from '../model/format.ts'
import { useStore } from '../state/store.ts'
import { Icon } from './icons.tsx'

/** Says that what is on the page is from before, while the questions are asked again. */
export function Banner() {
  const problems = Object.values(useStore(problemsStore))
  const worst = problems.find((problem) => problem.isUnreachable) ?? problems[0]
  if (worst === undefined) return null
  const since = Math.min(...problems.map((problem) => problem.sinceUnixMs))
  return (
    <div className="banner" role="alert">
      <Icon name="error" />
      <p>
        <b>{worst.message}</b> What you see is from before {formatClock(since)}; trying again.
      </p>
      <button type="button" className="button" onClick={askAllNow}>
        Try now
      </button>
    </div>
  )
}
