/**
 * The cloud and what of it runs the process, from what the platforms themselves put into the environment
 * and into the machine's own description (DMI). What only a metadata service knows is left out.
 */
import type { Attributes } from '@opentelemetry/api'
import {
  AWS_ECS_LAUNCHTYPE,
  AWS_LOG_GROUP_NAMES,
  AWS_LOG_STREAM_NAMES,
  CLOUD_ACCOUNT_ID,
  CLOUD_PLATFORM,
  CLOUD_PROVIDER,
  CLOUD_REGION,
  CLOUD_RESOURCE_ID,
  CONTAINER_ID,
  DEPLOYMENT_ENVIRONMENT_NAME,
  FAAS_INSTANCE,
  FAAS_MAX_MEMORY,
  FAAS_NAME,
  FAAS_VERSION,
  HEROKU_APP_ID,
  HEROKU_RELEASE_COMMIT,
  HOST_ID,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  SERVICE_VERSION
} from '@spanloom/otlp'
import { isKubernetes } from './container.ts'
import type { Facts } from './facts.ts'

const MEGABYTE = 1024 * 1024
const BEANSTALK_FILE = '/var/elasticbeanstalk/xray/environment.conf'
const DMI = '/sys/class/dmi/id/'
/** The chassis of every virtual machine of Azure. */
const AZURE_CHASSIS = '7783-7084-3265-9085-8269-3286-77'

export function aws(facts: Facts): Attributes {
  const { environment, readText } = facts
  const region = environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION
  if (environment.AWS_LAMBDA_FUNCTION_NAME) return { ...cloud('aws', region), ...lambda(facts) }
  if (environment.ECS_CONTAINER_METADATA_URI_V4 || environment.ECS_CONTAINER_METADATA_URI) {
    return { ...cloud('aws', region), ...ecs(facts) }
  }
  if (isKubernetes(facts)) {
    const isEks = environment.AWS_WEB_IDENTITY_TOKEN_FILE || isEc2(facts)
    return isEks ? { ...cloud('aws', region), [CLOUD_PLATFORM]: 'aws_eks' } : {}
  }
  const beanstalk = parsed(readText(BEANSTALK_FILE))
  if (beanstalk !== undefined) return { ...cloud('aws', region), ...elasticBeanstalk(beanstalk) }
  if (!isEc2(facts)) return {}
  const id = readText(`${DMI}board_asset_tag`)?.trim()
  const known = id !== undefined && /^i-[0-9a-f]+$/.test(id)
  return {
    ...cloud('aws', region),
    [CLOUD_PLATFORM]: 'aws_ec2',
    ...(known ? { [HOST_ID]: id } : {})
  }
}

function lambda({ environment }: Facts): Attributes {
  const megabytes = Number(environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE)
  const group = environment.AWS_LAMBDA_LOG_GROUP_NAME
  const stream = environment.AWS_LAMBDA_LOG_STREAM_NAME
  return present({
    [CLOUD_PLATFORM]: 'aws_lambda',
    [FAAS_NAME]: environment.AWS_LAMBDA_FUNCTION_NAME,
    [FAAS_VERSION]: environment.AWS_LAMBDA_FUNCTION_VERSION,
    [FAAS_INSTANCE]: stream,
    [FAAS_MAX_MEMORY]: megabytes > 0 ? megabytes * MEGABYTE : undefined,
    [AWS_LOG_GROUP_NAMES]: group ? [group] : undefined,
    [AWS_LOG_STREAM_NAMES]: stream ? [stream] : undefined,
    [SERVICE_NAME]: environment.AWS_LAMBDA_FUNCTION_NAME
  })
}

/** The address of ECS's metadata ends in the container's id, which only EC2's cgroups have too. */
function ecs({ environment }: Facts): Attributes {
  const uri =
    environment.ECS_CONTAINER_METADATA_URI_V4 ?? environment.ECS_CONTAINER_METADATA_URI ?? ''
  const id = /\/([0-9a-f]{64}|[0-9a-f]{32}-\d{1,20})$/.exec(uri)?.[1]
  const launch = /^AWS_ECS_(FARGATE|EC2)$/.exec(environment.AWS_EXECUTION_ENV ?? '')?.[1]
  return present({
    [CLOUD_PLATFORM]: 'aws_ecs',
    [AWS_ECS_LAUNCHTYPE]: launch?.toLowerCase(),
    [CONTAINER_ID]: id
  })
}

function elasticBeanstalk(facts: Readonly<Record<string, unknown>>): Attributes {
  const { environment_name: name, version_label: version, deployment_id: deployment } = facts
  return present({
    [CLOUD_PLATFORM]: 'aws_elastic_beanstalk',
    [DEPLOYMENT_ENVIRONMENT_NAME]: textOf(name),
    [SERVICE_VERSION]: textOf(version),
    [SERVICE_INSTANCE_ID]: textOf(deployment)
  })
}

function isEc2({ platform, readText }: Facts): boolean {
  if (platform !== 'linux') return false
  return readText(`${DMI}sys_vendor`)?.trim() === 'Amazon EC2'
}

export function gcp(facts: Facts): Attributes {
  const { environment } = facts
  const project =
    environment.GOOGLE_CLOUD_PROJECT ?? environment.GCP_PROJECT ?? environment.GCLOUD_PROJECT
  const run = present({ ...cloud('gcp', undefined), [CLOUD_ACCOUNT_ID]: project })
  if (environment.K_SERVICE) {
    const isFunction = environment.FUNCTION_TARGET !== undefined
    return {
      ...run,
      ...present({
        [CLOUD_PLATFORM]: isFunction ? 'gcp_cloud_functions' : 'gcp_cloud_run',
        [FAAS_NAME]: environment.K_SERVICE,
        [FAAS_VERSION]: environment.K_REVISION
      })
    }
  }
  if (environment.CLOUD_RUN_JOB) {
    return {
      ...run,
      ...present({
        [CLOUD_PLATFORM]: 'gcp_cloud_run',
        [FAAS_NAME]: environment.CLOUD_RUN_JOB,
        [FAAS_INSTANCE]: environment.CLOUD_RUN_EXECUTION
      })
    }
  }
  if (environment.GAE_SERVICE) {
    return {
      ...run,
      ...present({
        [CLOUD_PLATFORM]: 'gcp_app_engine',
        [FAAS_NAME]: environment.GAE_SERVICE,
        [FAAS_VERSION]: environment.GAE_VERSION,
        [FAAS_INSTANCE]: environment.GAE_INSTANCE
      })
    }
  }
  if (!isGoogle(facts)) return {}
  const platform = isKubernetes(facts) ? 'gcp_kubernetes_engine' : 'gcp_compute_engine'
  return { ...run, [CLOUD_PLATFORM]: platform }
}

function isGoogle({ platform, readText }: Facts): boolean {
  if (platform !== 'linux') return false
  return readText(`${DMI}product_name`)?.trim() === 'Google Compute Engine'
}

export function azure(facts: Facts): Attributes {
  const { environment, platform, readText } = facts
  const region = environment.REGION_NAME
  if (environment.CONTAINER_APP_NAME) {
    return {
      ...cloud('azure', undefined),
      ...present({
        [CLOUD_PLATFORM]: 'azure.container_apps',
        [SERVICE_NAME]: environment.CONTAINER_APP_NAME,
        [SERVICE_VERSION]: environment.CONTAINER_APP_REVISION,
        [SERVICE_INSTANCE_ID]: environment.CONTAINER_APP_REPLICA_NAME
      })
    }
  }
  if (environment.WEBSITE_SITE_NAME) return { ...cloud('azure', region), ...appService(facts) }
  if (platform !== 'linux') return {}
  if (readText(`${DMI}chassis_asset_tag`)?.trim() !== AZURE_CHASSIS) return {}
  const vm = isKubernetes(facts) ? 'azure.aks' : 'azure.vm'
  return { ...cloud('azure', undefined), [CLOUD_PLATFORM]: vm }
}

function appService({ environment }: Facts): Attributes {
  const name = environment.WEBSITE_SITE_NAME
  const isFunction = Boolean(
    environment.FUNCTIONS_EXTENSION_VERSION ?? environment.FUNCTIONS_WORKER_RUNTIME
  )
  const group = environment.WEBSITE_RESOURCE_GROUP
  // "<subscription>+<group>-<region>…"
  const subscription = environment.WEBSITE_OWNER_NAME?.split('+')[0]
  const resource =
    group && subscription
      ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Web/sites/${name}`
      : undefined
  return present({
    [CLOUD_PLATFORM]: isFunction ? 'azure.functions' : 'azure.app_service',
    [CLOUD_ACCOUNT_ID]: subscription,
    [CLOUD_RESOURCE_ID]: resource,
    [SERVICE_NAME]: name,
    [DEPLOYMENT_ENVIRONMENT_NAME]: environment.WEBSITE_SLOT_NAME,
    [isFunction ? FAAS_INSTANCE : SERVICE_INSTANCE_ID]: environment.WEBSITE_INSTANCE_ID,
    [FAAS_NAME]: isFunction ? name : undefined
  })
}

export function heroku({ environment }: Facts): Attributes {
  if (!environment.DYNO || !environment.HEROKU_APP_NAME) return {}
  return {
    ...cloud('heroku', undefined),
    ...present({
      [SERVICE_NAME]: environment.HEROKU_APP_NAME,
      [SERVICE_VERSION]: environment.HEROKU_RELEASE_VERSION,
      [SERVICE_INSTANCE_ID]: environment.DYNO,
      [HEROKU_APP_ID]: environment.HEROKU_APP_ID,
      [HEROKU_RELEASE_COMMIT]: environment.HEROKU_SLUG_COMMIT
    })
  }
}

function cloud(provider: string, region: string | undefined): Attributes {
  return present({ [CLOUD_PROVIDER]: provider, [CLOUD_REGION]: region })
}

function present(
  attributes: Readonly<Record<string, string | number | string[] | undefined>>
): Attributes {
  const found: Attributes = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== '') found[key] = value
  }
  return found
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
