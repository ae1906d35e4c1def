/**
 * The commit that runs: said by who built or deployed it, else read from the app's checkout, in three
 * small files at most and never by a command:
 *
 *   .git/HEAD   ref: refs/heads/main  ─→  .git/refs/heads/main, else a line of .git/packed-refs
 *               or the commit itself
 *   .git        gitdir: /elsewhere    (a file, in a second worktree; refs are in its `commondir`)
 */
import { dirname, isAbsolute, join } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import { VCS_REF_HEAD_NAME, VCS_REF_HEAD_REVISION, VCS_REPOSITORY_URL_FULL } from '@spanloom/otlp'
import type { Facts } from './facts.ts'

const COMMIT = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/
const BRANCH_PREFIX = 'refs/heads/'
/** Folders from the app upwards that are looked into. */
const PARENTS_MAX = 32

const COMMIT_VARIABLES = [
  'OTEL_GIT_COMMIT_SHA',
  'DD_GIT_COMMIT_SHA',
  'GIT_COMMIT_SHA',
  'GIT_COMMIT',
  'GITHUB_SHA',
  'CI_COMMIT_SHA',
  'VERCEL_GIT_COMMIT_SHA',
  'HEROKU_SLUG_COMMIT',
  'RENDER_GIT_COMMIT',
  'RAILWAY_GIT_COMMIT_SHA',
  'SOURCE_COMMIT',
  'COMMIT_SHA'
]
const BRANCH_VARIABLES = [
  'DD_GIT_BRANCH',
  'GITHUB_REF_NAME',
  'CI_COMMIT_REF_NAME',
  'VERCEL_GIT_COMMIT_REF',
  'RENDER_GIT_BRANCH',
  'RAILWAY_GIT_BRANCH'
]
const REPOSITORY_VARIABLES = ['OTEL_GIT_REPOSITORY_URL', 'DD_GIT_REPOSITORY_URL']

interface Head {
  readonly commit: string | undefined
  readonly branch: string | undefined
}

export function git(facts: Facts): Attributes {
  const said = (variables: readonly string[]) =>
    variables.map((name) => facts.environment[name]?.trim()).find(Boolean)
  const commit = said(COMMIT_VARIABLES)?.toLowerCase()
  const isSaid = commit !== undefined && COMMIT.test(commit)
  const head = isSaid ? { commit, branch: said(BRANCH_VARIABLES) } : headOf(facts)
  const attributes: Attributes = {}
  if (head?.commit !== undefined) attributes[VCS_REF_HEAD_REVISION] = head.commit
  if (head?.branch) attributes[VCS_REF_HEAD_NAME] = head.branch
  const repository = said(REPOSITORY_VARIABLES)
  // Addresses of checkouts often carry a token.
  if (repository) attributes[VCS_REPOSITORY_URL_FULL] = repository.replace(/\/\/[^/@]*@/, '//')
  return attributes
}

function headOf({ startedAt, readText }: Facts): Head | undefined {
  let folder = startedAt
  for (let count = 0; count < PARENTS_MAX; count++) {
    const gitFolder = gitFolderIn(folder, readText)
    const head = readText(join(gitFolder, 'HEAD'))?.trim()
    if (head !== undefined) return resolved(head, gitFolder, readText)
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
  return undefined
}

function gitFolderIn(folder: string, readText: Facts['readText']): string {
  const own = join(folder, '.git')
  const elsewhere = /^gitdir: (.+)$/m.exec(readText(own) ?? '')?.[1]?.trim()
  if (elsewhere === undefined) return own
  return isAbsolute(elsewhere) ? elsewhere : join(folder, elsewhere)
}

function resolved(head: string, gitFolder: string, readText: Facts['readText']): Head | undefined {
  if (COMMIT.test(head)) return { commit: head, branch: undefined }
  const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1]
  if (ref === undefined || ref.includes('..')) return undefined
  const common = readText(join(gitFolder, 'commondir'))?.trim()
  const shared = common === undefined ? gitFolder : join(gitFolder, common)
  const commit = readText(join(shared, ref))?.trim() ?? packed(ref, shared, readText)
  return {
    commit: commit !== undefined && COMMIT.test(commit) ? commit : undefined,
    branch: ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : undefined
  }
}

function packed(ref: string, gitFolder: string, readText: Facts['readText']): string | undefined {
  const lines = readText(join(gitFolder, 'packed-refs'))?.split('\n') ?? []
  const line = lines.find((each) => each.endsWith(` ${ref}`))
  return line?.slice(0, line.indexOf(' '))
}
