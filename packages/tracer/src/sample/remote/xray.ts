/**
 * `xray`: AWS X-Ray's centralised sampling, through the service that signs for us: an OpenTelemetry Collector with
 * its awsproxy extension, a CloudWatch agent or the X-Ray daemon.
 *
 *   every 300 s   POST /GetSamplingRules                                          (all pages, 10 at most)
 *   every 10 s    POST /SamplingTargets { SamplingStatisticsDocuments: […] }      (where something was counted)
 *
 * When the targets say that the rules have been changed since, these are asked for at once.
 */
import type { Attributes } from '@opentelemetry/api'
import {
  AWS_ECS_CLUSTER_ARN,
  AWS_ECS_CONTAINER_ARN,
  AWS_EKS_CLUSTER_ARN,
  CLOUD_PLATFORM,
  CLOUD_RESOURCE_ID
} from '@spanloom/otlp'
import type { SamplerParts } from '../sampling-settings.ts'
import { address, numberFrom, readArgument } from './argument.ts'
import { isMap, type RemoteSampler } from './remote-sampler.ts'
import { askJson, Poll, ServiceNews } from './service.ts'
import type { Service } from './xray-rule.ts'
import { type StatisticsDocument, XrayRules } from './xray-rules.ts'

const SECOND_MS = 1_000
const DAY_S = 86_400
const PAGES_MAX = 10
const TARGETS_INTERVAL_MS = 10_000
const CLIENT_ID_DIGITS = 24

/** The specification's platforms as X-Ray calls them. */
const SERVICE_TYPES: Readonly<Record<string, string>> = {
  aws_ec2: 'AWS::EC2::Instance',
  aws_ecs: 'AWS::ECS::Container',
  aws_eks: 'AWS::EKS::Container',
  aws_elastic_beanstalk: 'AWS::ElasticBeanstalk::Environment',
  aws_lambda: 'AWS::Lambda::Function'
}

interface XrayArgument {
  readonly endpoint: string
  /** Seconds. */
  readonly polling_interval: number
}

export function createXraySampler(
  argument: string | undefined,
  parts: SamplerParts,
  changed: () => void
): RemoteSampler {
  const { endpoint, polling_interval: rulesIntervalS } = readArgument<XrayArgument>(
    argument,
    {
      endpoint: { default: 'http://localhost:2000', parse: address },
      polling_interval: { default: 300, parse: numberFrom(10, DAY_S) }
    },
    parts.notify
  )
  const service = serviceOf(parts.serviceName, parts.resource)
  const rules = new XrayRules(service, clientIdOf(parts.random), parts)
  const rulesUrl = apiUrl(endpoint, 'GetSamplingRules')
  const targetsUrl = apiUrl(endpoint, 'SamplingTargets')
  const news = new ServiceNews(rulesUrl, parts)
  let targetsIntervalMs = TARGETS_INTERVAL_MS
  const used = () =>
    rules.areKnown
      ? 'its last rules stay in force'
      : 'one trace a second and 5 % of the others are kept'

  const rulesPoll = new Poll({
    parts,
    intervalMs: () => rulesIntervalS * SECOND_MS,
    async ask() {
      const pages = await askForRules(rulesUrl)
      if ('failure' in pages) {
        news.failed(pages.failure, used())
        return
      }
      if (pages.records === undefined) {
        news.refused('no SamplingRuleRecords', used())
        return
      }
      const problem = rules.takeRules(pages.records)
      changed()
      if (problem === undefined) news.heard()
      else news.refused(problem, 'it is left out')
    }
  })

  async function report(documents: StatisticsDocument[]): Promise<void> {
    const answer = await askJson(targetsUrl, { SamplingStatisticsDocuments: documents })
    if ('failure' in answer) {
      rules.giveBack(documents)
      news.failed(answer.failure, used())
      return
    }
    const { problem, intervalMs, rulesHaveChanged } = rules.takeTargets(answer.json)
    if (problem !== undefined) news.refused(problem, used())
    const unprocessed = unprocessedOf(answer.json)
    if (unprocessed !== undefined) news.refused(unprocessed, used())
    if (problem === undefined && unprocessed === undefined) news.heard()
    targetsIntervalMs = intervalMs ?? TARGETS_INTERVAL_MS
    if (rulesHaveChanged) rulesPoll.hurry()
  }
  const targetsPoll = new Poll({
    parts,
    intervalMs: () => targetsIntervalMs,
    async ask() {
      for (const documents of rules.takeStatistics()) await report(documents)
    }
  })
  rulesPoll.start()
  targetsPoll.start(TARGETS_INTERVAL_MS)
  return {
    decide: rules.decide,
    get readsFacts() {
      return rules.readsFacts
    },
    close() {
      rulesPoll.close()
      targetsPoll.close()
    }
  }
}

type Pages = { readonly records: unknown[] | undefined } | { readonly failure: string }

/** Records undefined: an answer without any list of them. */
async function askForRules(url: URL): Promise<Pages> {
  const records: unknown[] = []
  let token: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await askJson(url, token === undefined ? {} : { NextToken: token })
    if ('failure' in answer) return answer
    const { json } = answer
    if (!isMap(json) || !Array.isArray(json.SamplingRuleRecords)) return { records: undefined }
    records.push(...json.SamplingRuleRecords)
    if (typeof json.NextToken !== 'string' || json.NextToken === '') break
    token = json.NextToken
  }
  return { records }
}

/** Counts that were heard and not taken: to send them again would not help. */
function unprocessedOf(answer: unknown): string | undefined {
  const list = isMap(answer) ? answer.UnprocessedStatistics : undefined
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  if (!isMap(first)) return undefined
  const { RuleName, ErrorCode, Message } = first
  return `counts of ${RuleName} were not taken: ${ErrorCode} ${Message}`.slice(0, 120)
}

function apiUrl(endpoint: string, operation: string): URL {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${operation}`
  return url
}

export function serviceOf(name: string, resource: Attributes): Service {
  const platform = resource[CLOUD_PLATFORM]
  const lambda = platform === 'aws_lambda' ? resource[CLOUD_RESOURCE_ID] : undefined
  const arn =
    resource[AWS_ECS_CONTAINER_ARN] ??
    resource[AWS_ECS_CLUSTER_ARN] ??
    resource[AWS_EKS_CLUSTER_ARN] ??
    lambda
  return {
    name,
    type: SERVICE_TYPES[String(platform)],
    arn: arn === undefined ? undefined : String(arn)
  }
}

function clientIdOf(random: () => number): string {
  let id = ''
  while (id.length < CLIENT_ID_DIGITS) id += Math.floor(random() * 16).toString(16)
  return id
}
