/**
 * Who sends: the resource, the same for every span of the process. By shape it is the SDK's Resource,
 * so that SDK exporters can read it from a span.
 *
 *   configured ▷ service, its instance, process ▷ container, pod, cloud, commit ▷ host, system
 *
 * What is further left wins. An instance is a process, so a platform's id of a machine is none.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import {
  SERVICE_NAME,
  TELEMETRY_SDK_LANGUAGE,
  TELEMETRY_SDK_NAME,
  TELEMETRY_SDK_VERSION
} from '@spanloom/otlp'
import { SDK_NAME, SDK_VERSION } from '../version.ts'
import { aws, azure, gcp, heroku } from './cloud.ts'
import { container, kubernetes } from './container.ts'
import type { Facts } from './facts.ts'
import { git } from './git.ts'
import { host, os, processOf, service, serviceInstance } from './process.ts'

export interface Resource {
  readonly attributes: Attributes
  merge(other: Resource | null): Resource
  getRawAttributes(): [string, AttributeValue | undefined][]
}

export function createResource(attributes: Attributes): Resource {
  return {
    attributes,
    merge: (other) => createResource({ ...attributes, ...other?.attributes }),
    getRawAttributes: () => Object.entries(attributes)
  }
}

type Detector = (facts: Facts) => Attributes

/** By the names of `OTEL_NODE_RESOURCE_DETECTORS`; a later one wins. */
const DETECTORS: Readonly<Record<string, Detector>> = {
  host,
  os,
  git,
  heroku,
  azure,
  gcp,
  aws,
  k8s: kubernetes,
  container,
  process: processOf,
  serviceinstance: serviceInstance,
  service
}

export interface ResourceConfig {
  /** Wins over what is found out. */
  readonly resource: Attributes
  /** Names of detectors, `all` or `none`. */
  readonly resourceDetectors: readonly string[]
}

export function detectResource(facts: Facts, config: ResourceConfig): Resource {
  const attributes: Attributes = {
    [SERVICE_NAME]: 'unknown_service:node',
    [TELEMETRY_SDK_NAME]: SDK_NAME,
    [TELEMETRY_SDK_LANGUAGE]: 'nodejs',
    [TELEMETRY_SDK_VERSION]: SDK_VERSION
  }
  for (const [name, detect] of Object.entries(DETECTORS)) {
    if (isChosen(name, config.resourceDetectors)) Object.assign(attributes, detect(facts))
  }
  return createResource({ ...attributes, ...config.resource })
}

function isChosen(name: string, chosen: readonly string[]): boolean {
  if (chosen.includes('none')) return false
  return chosen.includes('all') || chosen.includes(name)
}
