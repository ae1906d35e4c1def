import type { GraphNode } from '@spanloom/query-api'
import { Icon } from '../../components/icons.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { TYPE_ICON } from './map-node.tsx'

/** A node's name as its type shows it; its id when the answer has the edge and not the node. */
export function NodeName({
  node,
  id
}: {
  readonly node: GraphNode | undefined
  readonly id: string
}) {
  if (node?.type === 'service') return <ServiceTag service={node.name} />
  return (
    <span className="service-tag">
      {node !== undefined && <Icon name={TYPE_ICON[node.type]} />}
      <span className="clip">{node?.name ?? id}</span>
    </span>
  )
}
