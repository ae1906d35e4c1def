import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { type Facts, processFacts } from './facts.ts'
import { detectResource } from './resource.ts'

const DOCKER_ID = `${'a'.repeat(60)}0123`
const SANDBOX_ID = 'b'.repeat(64)
const POD = '6c0ad4f1-3c1f-4f0e-9d55-0f1fb1a0a7c1'
const COMMIT = '0123456789abcdef0123456789abcdef01234567'

type Files = Readonly<Record<string, string>>

function detect(
  environment: Readonly<Record<string, string>>,
  files: Files = {},
  detectors: readonly string[] = ['all'],
  resource: Attributes = {}
): Attributes {
  const facts: Facts = {
    pid: 7,
    nodeVersion: '24.0.0',
    hostName: 'box',
    platform: 'linux',
    arch: 'x64',
    osRelease: '6.1',
    execPath: '/usr/bin/node',
    script: '/srv/app/dist/main.js',
    startedAt: '/srv/app/dist',
    environment,
    readText: (path) => files[path]
  }
  return detectResource(facts, { resource, resourceDetectors: detectors }).attributes
}

describe('the resource', () => {
  it('is the service of the nearest package.json that has a name, the process, host and system', () => {
    const attributes = detect(
      {},
      {
        '/package.json': '{"name":"outer"}',
        '/srv/package.json': '{"name":"shop","version":"1.4.2"}',
        '/srv/app/package.json': '{"type":"module"}',
        '/srv/app/dist/package.json': 'not json',
        '/etc/machine-id': `${'c'.repeat(32)}\n`
      }
    )
    expect(attributes).toMatchObject({
      'service.name': 'shop',
      'service.version': '1.4.2',
      'telemetry.sdk.name': 'spanloom',
      'telemetry.sdk.language': 'nodejs',
      'process.pid': 7,
      'process.executable.name': 'node',
      'process.executable.path': '/usr/bin/node',
      'process.command': '/srv/app/dist/main.js',
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '24.0.0',
      'host.name': 'box',
      'host.arch': 'amd64',
      'host.id': 'c'.repeat(32),
      'os.type': 'linux',
      'os.version': '6.1'
    })
    expect(attributes['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(Object.keys(attributes).join()).not.toMatch(/cloud|k8s|container|vcs|command_args/)
  })

  it('is an unknown service when nothing names it, and what is configured wins', () => {
    expect(detect({})['service.name']).toBe('unknown_service:node')
    const resource = { 'service.name': 'set', 'host.name': 'other' }
    const files = { '/srv/package.json': '{"name":"shop"}' }
    expect(detect({}, files, ['all'], resource)).toMatchObject(resource)
  })

  it('is found by the chosen detectors alone', () => {
    const files = { '/srv/package.json': '{"name":"shop"}' }
    const chosen = detect({}, files, ['env', 'os'], { team: 'a' })
    expect(chosen).toMatchObject({ 'os.type': 'linux', team: 'a' })
    expect(chosen['service.name']).toBe('unknown_service:node')
    expect(chosen['host.name']).toBeUndefined()
    expect(Object.keys(detect({}, files, ['none']))).toEqual([
      'service.name',
      'telemetry.sdk.name',
      'telemetry.sdk.language',
      'telemetry.sdk.version'
    ])
  })

  it('reads real files, and nothing from what is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spanloom-resource-'))
    try {
      writeFileSync(join(folder, 'package.json'), '{"name":"real","version":"2.0.0"}')
      mkdirSync(join(folder, '.git', 'HEAD'), { recursive: true })
      const facts = { ...processFacts({}), startedAt: folder }
      const { attributes } = detectResource(facts, { resource: {}, resourceDetectors: ['all'] })
      expect(attributes).toMatchObject({
        'service.name': 'real',
        'service.version': '2.0.0',
        'process.pid': process.pid
      })
      expect(attributes['vcs.ref.head.revision']).toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

const mounts = (path: string) =>
  [
    '612 600 0:90 / / rw,relatime - overlay overlay rw',
    `636 612 254:1 ${path} /etc/hostname rw,relatime - ext4 /dev/vda1 rw`
  ].join('\n')

describe('the container', () => {
  it.each([
    ['Docker, cgroup v1', `12:cpu:/docker/${DOCKER_ID}`, '', DOCKER_ID],
    [
      'Kubernetes, cgroup v1',
      `3:cpu:/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${DOCKER_ID}.scope`,
      '',
      DOCKER_ID
    ],
    [
      'Fargate',
      `1:cpu:/ecs/447438d8a06f4ac5a3ba/${'d'.repeat(32)}-1094029`,
      '',
      `${'d'.repeat(32)}-1094029`
    ],
    [
      'Docker, cgroup v2',
      '0::/',
      mounts(`/var/lib/docker/containers/${DOCKER_ID}/hostname`),
      DOCKER_ID
    ],
    [
      'a pod’s sandbox is not the container',
      '0::/',
      mounts(`/io.containerd.grpc.v1.cri/sandboxes/${SANDBOX_ID}/hostname`),
      undefined
    ],
    ['no container', '0::/user.slice/session-1.scope', mounts('/etc/hostname'), undefined]
  ])('%s', (_where, cgroup, mountinfo, id) => {
    const files = { '/proc/self/cgroup': `${cgroup}\n`, '/proc/self/mountinfo': mountinfo }
    expect(detect({}, files)['container.id']).toBe(id)
  })
})

describe('the pod', () => {
  it('is described by the downward API', () => {
    const environment = {
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      POD_NAME: 'shop-1',
      MY_POD_NAMESPACE: 'prod',
      NODE_NAME: 'node-3',
      K8S_POD_UID: POD
    }
    expect(detect(environment)).toMatchObject({
      'k8s.pod.name': 'shop-1',
      'k8s.pod.uid': POD,
      'k8s.namespace.name': 'prod',
      'k8s.node.name': 'node-3'
    })
  })

  it('is found in its files without, and only there', () => {
    const files = {
      '/proc/self/mountinfo': `700 1 8:1 /var/lib/kubelet/pods/${POD}/etc-hosts /etc/hosts rw - ext4 /dev/sda rw`,
      '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'shop'
    }
    expect(detect({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, files)).toMatchObject({
      'k8s.pod.name': 'box',
      'k8s.pod.uid': POD,
      'k8s.namespace.name': 'shop'
    })
    expect(detect({ POD_NAME: 'not-in-kubernetes' })['k8s.pod.name']).toBeUndefined()
  })
})

describe('the cloud', () => {
  const vendor = (name: string) => ({ '/sys/class/dmi/id/sys_vendor': `${name}\n` })

  it.each<[string, Readonly<Record<string, string>>, Files, Attributes]>([
    [
      'Lambda',
      {
        AWS_LAMBDA_FUNCTION_NAME: 'fn',
        AWS_LAMBDA_FUNCTION_VERSION: '3',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        AWS_REGION: 'eu-west-1'
      },
      {},
      {
        'cloud.provider': 'aws',
        'cloud.platform': 'aws_lambda',
        'cloud.region': 'eu-west-1',
        'service.name': 'fn',
        'faas.name': 'fn',
        'faas.version': '3',
        'faas.instance': 'stream',
        'faas.max_memory': 134_217_728
      }
    ],
    [
      'ECS on Fargate',
      {
        ECS_CONTAINER_METADATA_URI_V4: `http://169.254.170.2/v4/${'e'.repeat(32)}-12`,
        AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE'
      },
      {},
      {
        'cloud.platform': 'aws_ecs',
        'aws.ecs.launchtype': 'fargate',
        'container.id': `${'e'.repeat(32)}-12`
      }
    ],
    [
      'EKS',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      vendor('Amazon EC2'),
      { 'cloud.platform': 'aws_eks' }
    ],
    [
      'EC2',
      {},
      { ...vendor('Amazon EC2'), '/sys/class/dmi/id/board_asset_tag': 'i-0abc\n' },
      { 'cloud.provider': 'aws', 'cloud.platform': 'aws_ec2', 'host.id': 'i-0abc' }
    ],
    [
      'Beanstalk',
      {},
      {
        '/var/elasticbeanstalk/xray/environment.conf':
          '{"deployment_id":23,"version_label":"v1","environment_name":"prod"}'
      },
      {
        'cloud.platform': 'aws_elastic_beanstalk',
        'service.version': 'v1',
        'deployment.environment.name': 'prod'
      }
    ],
    [
      'Cloud Run',
      { K_SERVICE: 'run', K_REVISION: 'run-1', GOOGLE_CLOUD_PROJECT: 'p' },
      {},
      {
        'cloud.provider': 'gcp',
        'cloud.platform': 'gcp_cloud_run',
        'cloud.account.id': 'p',
        'faas.name': 'run',
        'faas.version': 'run-1'
      }
    ],
    [
      'Cloud Functions',
      { K_SERVICE: 'fn', FUNCTION_TARGET: 'main' },
      {},
      { 'cloud.platform': 'gcp_cloud_functions' }
    ],
    [
      'App Engine',
      { GAE_SERVICE: 'default', GAE_VERSION: '7', GAE_INSTANCE: 'i' },
      {},
      { 'cloud.platform': 'gcp_app_engine', 'faas.version': '7' }
    ],
    [
      'GKE',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      { '/sys/class/dmi/id/product_name': 'Google Compute Engine\n' },
      { 'cloud.platform': 'gcp_kubernetes_engine' }
    ],
    [
      'App Service',
      {
        WEBSITE_SITE_NAME: 'site',
        REGION_NAME: 'West Europe',
        WEBSITE_SLOT_NAME: 'Production',
        WEBSITE_OWNER_NAME: 'sub+group-WestEuropewebspace',
        WEBSITE_RESOURCE_GROUP: 'group'
      },
      {},
      {
        'cloud.provider': 'azure',
        'cloud.platform': 'azure.app_service',
        'cloud.region': 'West Europe',
        'cloud.resource_id':
          '/subscriptions/sub/resourceGroups/group/providers/Microsoft.Web/sites/site',
        'deployment.environment.name': 'Production'
      }
    ],
    [
      'Azure Functions',
      { WEBSITE_SITE_NAME: 'fn', FUNCTIONS_EXTENSION_VERSION: '~4' },
      {},
      { 'cloud.platform': 'azure.functions', 'faas.name': 'fn' }
    ],
    [
      'Container Apps',
      { CONTAINER_APP_NAME: 'app', CONTAINER_APP_REVISION: 'app--1' },
      {},
      {
        'cloud.platform': 'azure.container_apps',
        'service.name': 'app',
        'service.version': 'app--1'
      }
    ],
    [
      'Heroku',
      { DYNO: 'web.1', HEROKU_APP_NAME: 'app', HEROKU_RELEASE_VERSION: 'v9' },
      {},
      { 'cloud.provider': 'heroku', 'service.name': 'app', 'service.version': 'v9' }
    ]
  ])('%s', (_platform, environment, files, expected) => {
    const attributes = detect(environment, files)
    expect(attributes).toMatchObject(expected)
    // A platform's id of a machine must not be shared by the processes on it.
    expect(attributes['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('the commit', () => {
  it.each<[string, Readonly<Record<string, string>>, Files, Attributes]>([
    [
      'said by the platform',
      { RENDER_GIT_COMMIT: COMMIT, RENDER_GIT_BRANCH: 'main' },
      { '/srv/.git/HEAD': 'f'.repeat(40) },
      { 'vcs.ref.head.revision': COMMIT, 'vcs.ref.head.name': 'main' }
    ],
    [
      'the branch’s, in a parent folder',
      {},
      { '/srv/.git/HEAD': 'ref: refs/heads/feat/x\n', '/srv/.git/refs/heads/feat/x': COMMIT },
      { 'vcs.ref.head.revision': COMMIT, 'vcs.ref.head.name': 'feat/x' }
    ],
    [
      'packed',
      {},
      {
        '/srv/.git/HEAD': 'ref: refs/heads/main',
        '/srv/.git/packed-refs': `# pack-refs with: peeled\n${COMMIT} refs/heads/main\n`
      },
      { 'vcs.ref.head.revision': COMMIT, 'vcs.ref.head.name': 'main' }
    ],
    ['detached', {}, { '/srv/app/.git/HEAD': `${COMMIT}\n` }, { 'vcs.ref.head.revision': COMMIT }],
    [
      'of a second worktree',
      {},
      {
        '/srv/app/.git': 'gitdir: /repo/.git/worktrees/app\n',
        '/repo/.git/worktrees/app/HEAD': 'ref: refs/heads/side',
        '/repo/.git/worktrees/app/commondir': '../..',
        '/repo/.git/refs/heads/side': COMMIT
      },
      { 'vcs.ref.head.revision': COMMIT, 'vcs.ref.head.name': 'side' }
    ]
  ])('%s', (_where, environment, files, expected) => {
    expect(detect(environment, files)).toMatchObject(expected)
  })

  it('is none when the checkout is strange, and an address shows no token', () => {
    const strange = { '/srv/.git/HEAD': 'ref: refs/../../etc/passwd' }
    expect(detect({}, strange)['vcs.ref.head.revision']).toBeUndefined()
    const said = detect({ DD_GIT_REPOSITORY_URL: 'https://token@host/shop.git' })
    expect(said['vcs.repository.url.full']).toBe('https://host/shop.git')
  })
})
