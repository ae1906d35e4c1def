import type { SparklinePoint } from '@spanloom/query-api'
import { memo } from 'react'

const WIDTH = 156
const HEIGHT = 26

interface SparklineProps {
  readonly points: readonly SparklinePoint[]
  readonly label: string
}

/**
 * Calls as bars, their errors in red on top: two paths whatever the number of points. An error is
 * at least a pixel high, so that one among a thousand is seen.
 */
export const Sparkline = memo(function Sparkline({ points, label }: SparklineProps) {
  const most = points.reduce((max, point) => Math.max(max, point.calls), 0)
  const step = WIDTH / Math.max(1, points.length)
  const gap = step > 3 ? 1 : step > 2 ? 0.5 : 0
  let calls = ''
  let errors = ''
  for (let index = 0; index < points.length; index++) {
    const point = points[index]!
    if (point.calls <= 0) continue
    const height = Math.max(1.5, (point.calls / most) * HEIGHT)
    const errorHeight =
      point.errors > 0 ? Math.min(height, Math.max(1, (point.errors / most) * HEIGHT)) : 0
    const x = (index * step).toFixed(1)
    const width = (step - gap).toFixed(1)
    if (height > errorHeight) {
      calls += `M${x},${HEIGHT}h${width}v${(errorHeight - height).toFixed(1)}h-${width}z`
    }
    if (errorHeight > 0) {
      errors += `M${x},${(HEIGHT - height).toFixed(1)}h${width}v${errorHeight.toFixed(1)}h-${width}z`
    }
  }
  return (
    <svg
      className="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={label}
    >
      <path className="sparkline-base" d={`M0,${HEIGHT - 0.5}h${WIDTH}`} />
      <path className="sparkline-calls" d={calls} />
      <path className="sparkline-errors" d={errors} />
    </svg>
  )
})
