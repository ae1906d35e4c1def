/**
 * The container and the Kubernetes pod. The container's id stands in one of two files:
 *
 *   /proc/self/cgroup      …/docker/<64 hex>, …/cri-containerd-<64 hex>.scope, /ecs/<task>/<32 hex>-<digits>
 *   /proc/self/mountinfo   …/containers/<64 hex>/hostname        where cgroups have a namespace: "0::/"
 *
 * The pod's names are in the environment when its manifest puts them there by the downward API, for
 * which there is no standard: the usual names are tried. Its host name is the pod's name otherwise.
 */
import type { Attributes } from '@opentelemetry/api'
import {
  CONTAINER_ID,
  K8S_CLUSTER_NAME,
  K8S_CONTAINER_NAME,
  K8S_DEPLOYMENT_NAME,
  K8S_NAMESPACE_NAME,
  K8S_NODE_NAME,
  K8S_POD_NAME,
  K8S_POD_UID
} from '@spanloom/otlp'
import type { Facts } from './facts.ts'

const CGROUP_FILE = '/proc/self/cgroup'
const MOUNTS_FILE = '/proc/self/mountinfo'
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** At the end of a cgroup's path: Docker's and Kubernetes's ids, and Fargate's. */
const CGROUP_ID = /[/:-]([0-9a-f]{64}|[0-9a-f]{32}-\d{1,20})(?:\.scope)?$/m
/** A pod's sandbox has mounts too, below `sandboxes/`: its id is not the container's. */
const MOUNT_ID = /containers\/([0-9a-f]{64})\/\S*(?:hostname|resolv\.conf|hosts) /
const POD_UID = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})/
const MOUNT_POD_UID = /\/pods\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//

/** Ours first, then what manifests and charts usually say. */
const POD_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  [K8S_POD_NAME]: ['K8S_POD_NAME', 'KUBERNETES_POD_NAME', 'POD_NAME', 'MY_POD_NAME'],
  [K8S_POD_UID]: ['K8S_POD_UID', 'KUBERNETES_POD_UID', 'POD_UID', 'MY_POD_UID'],
  [K8S_NAMESPACE_NAME]: [
    'K8S_NAMESPACE_NAME',
    'K8S_NAMESPACE',
    'KUBERNETES_NAMESPACE',
    'POD_NAMESPACE',
    'MY_POD_NAMESPACE'
  ],
  [K8S_NODE_NAME]: ['K8S_NODE_NAME', 'KUBERNETES_NODE_NAME', 'NODE_NAME', 'MY_NODE_NAME'],
  [K8S_CONTAINER_NAME]: ['K8S_CONTAINER_NAME', 'CONTAINER_NAME'],
  [K8S_DEPLOYMENT_NAME]: ['K8S_DEPLOYMENT_NAME'],
  [K8S_CLUSTER_NAME]: ['K8S_CLUSTER_NAME', 'CLUSTER_NAME']
}

export function container(facts: Facts): Attributes {
  if (facts.platform !== 'linux') return {}
  const id =
    CGROUP_ID.exec(facts.readText(CGROUP_FILE) ?? '')?.[1] ??
    MOUNT_ID.exec(facts.readText(MOUNTS_FILE) ?? '')?.[1]
  return id === undefined ? {} : { [CONTAINER_ID]: id }
}

export function kubernetes(facts: Facts): Attributes {
  const { environment, hostName, readText } = facts
  if (!isKubernetes(facts)) return {}
  const attributes: Attributes = {}
  for (const [key, variables] of Object.entries(POD_VARIABLES)) {
    const variable = variables.find((name) => environment[name])
    if (variable !== undefined) attributes[key] = environment[variable]!
  }
  attributes[K8S_POD_NAME] ??= hostName
  const namespace = attributes[K8S_NAMESPACE_NAME] ?? readText(NAMESPACE_FILE)?.trim()
  if (namespace) attributes[K8S_NAMESPACE_NAME] = namespace
  const uid = attributes[K8S_POD_UID] ?? podUid(facts)
  if (uid !== undefined) attributes[K8S_POD_UID] = uid
  return attributes
}

export function isKubernetes({ environment }: Facts): boolean {
  return Boolean(environment.KUBERNETES_SERVICE_HOST)
}

function podUid({ readText }: Facts): string | undefined {
  const fromCgroup = POD_UID.exec(readText(CGROUP_FILE) ?? '')?.[1]?.replaceAll('_', '-')
  return fromCgroup ?? MOUNT_POD_UID.exec(readText(MOUNTS_FILE) ?? '')?.[1]
}
