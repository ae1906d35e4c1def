/** Reads the packages' sources into what the rules look at: who imports whom, and global uses. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface SourceFile {
  /** From the repository's root, with slashes: packages/otlp/src/scan.ts */
  readonly path: string
  readonly text: string
  /** Every module it names, types and dynamic imports included. Relative ones as paths like `path`. */
  readonly imports: readonly string[]
  /** Member expressions on globals, as written: `process.env`, `Date.now`; and bare calls: `fetch`. */
  readonly uses: readonly string[]
}

export function readSources(root: string): SourceFile[] {
  return globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root })
    .map((path) => relative(root, join(root, path)).replaceAll('\\', '/'))
    .filter((path) => !isTest(path))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

export function parseSource(path: string, text: string): SourceFile {
  const { module, program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const named = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])
    ),
    ...module.dynamicImports.map((call) =>
      text.slice(call.moduleRequest.start + 1, call.moduleRequest.end - 1)
    )
  ]
  const imports = [...new Set(named)].map((name) =>
    name.startsWith('.') ? join(dirname(path), name).replaceAll('\\', '/') : name
  )
  return { path, text, imports, uses: [...globalUses(program)] }
}

function isTest(path: string): boolean {
  return /\.(test|contract|testkit|fixture)\.tsx?$/.test(path) || path.includes('/testkit/')
}

interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

/** `a.b` for every member expression on a plain name, `a` for every call of one. */
function globalUses(program: unknown): Set<string> {
  const uses = new Set<string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item)
      return
    }
    if (typeof value !== 'object' || value === null) return
    const node = value as Node
    const object = node.object as Node | undefined
    const property = node.property as Node | undefined
    if (node.type === 'MemberExpression' && object?.type === 'Identifier') {
      uses.add(`${String(object.name)}.${String(property?.name)}`)
    }
    const callee = node.callee as Node | undefined
    if (callee?.type === 'Identifier') uses.add(String(callee.name))
    for (const key of Object.keys(node)) visit(node[key])
  }
  visit(program)
  return uses
}
