/**
 * A strict reader of OpenMetrics 1.0, after the grammar and the rules of its specification. It
 * throws on whatever is not allowed: a page that it reads can be read by any scraper.
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
    readonly timestamp: number
  }
}

export interface ReadFamily {
  readonly name: string
  type: string
  unit: string
  help: string
  readonly samples: Sample[]
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created']
}
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*/
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/

export function readOpenMetrics(page: string): ReadFamily[] {
  if (!page.endsWith('\n# EOF\n') && page !== '# EOF\n') throw new Error('no # EOF at the end')
  const families: ReadFamily[] = []
  const seen = new Set<string>()
  for (const line of page.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    if (line.startsWith('#')) readMetadata(line, families)
    else readSample(line, families.at(-1), seen)
  }
  checkFamilies(families)
  return families
}

function readMetadata(line: string, families: ReadFamily[]): void {
  const match = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line)
  if (match === null) throw new Error(`bad metadata: ${line}`)
  const [, word, name, text] = match as unknown as [string, string, string, string]
  if (!NAME.test(name)) throw new Error(`bad name: ${line}`)
  let family = families.at(-1)
  if (family?.name !== name) {
    if (families.some((other) => other.name === name)) throw new Error(`${name} comes twice`)
    family = { name, type: '', unit: '', help: '', samples: [] }
    families.push(family)
  }
  if (family.samples.length > 0) throw new Error(`metadata after samples: ${line}`)
  const key = word.toLowerCase() as 'help' | 'type' | 'unit'
  if (family[key] !== '') throw new Error(`${word} comes twice: ${line}`)
  if (key === 'help' && !/^(?:[^\\"\n]|\\[\\"n])*$/.test(text)) throw new Error(`bad help: ${line}`)
  if (key === 'unit' && !name.endsWith(`_${text}`)) throw new Error(`unit is no suffix: ${line}`)
  if (key === 'type' && SUFFIXES[text] === undefined) throw new Error(`bad type: ${line}`)
  family[key] = text
}

function readSample(line: string, family: ReadFamily | undefined, seen: Set<string>): void {
  const cursor = { at: 0 }
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0]
  if (name === undefined || family === undefined) throw new Error(`bad sample: ${line}`)
  if (!SUFFIXES[family.type]?.some((suffix) => name === family.name + suffix)) {
    throw new Error(`${name} is no sample of ${family.name}`)
  }
  cursor.at = name.length
  const labels = line[cursor.at] === '{' ? readLabels(line, cursor) : {}
  const [values, exemplarText] = splitOnce(line.slice(cursor.at), ' # ')
  const value = readNumber(values.slice(1), line)
  if (values[0] !== ' ') throw new Error(`no space before the value: ${line}`)
  const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`
  if (seen.has(key)) throw new Error(`the sample comes twice: ${line}`)
  seen.add(key)
  if (exemplarText === undefined) {
    family.samples.push({ name, labels, value })
    return
  }
  if (!name.endsWith('_bucket') && !name.endsWith('_total')) throw new Error(`exemplar: ${line}`)
  family.samples.push({ name, labels, value, exemplar: readExemplar(exemplarText, line) })
}

function readExemplar(text: string, line: string): NonNullable<Sample['exemplar']> {
  const cursor = { at: 0 }
  const labels = readLabels(text, cursor)
  const chars = [...Object.entries(labels).flat().join('')].length
  if (chars > 128) throw new Error(`exemplar labels of ${chars} characters: ${line}`)
  const [value = '', timestamp = '', ...more] = text.slice(cursor.at + 1).split(' ')
  if (more.length > 0) throw new Error(`bad exemplar: ${line}`)
  return { labels, value: readNumber(value, line), timestamp: readNumber(timestamp, line) }
}

function readLabels(line: string, cursor: { at: number }): Record<string, string> {
  const labels: Record<string, string> = {}
  cursor.at++
  while (line[cursor.at] !== '}') {
    const name = LABEL_NAME.exec(line.slice(cursor.at))?.[0]
    if (name === undefined || labels[name] !== undefined) throw new Error(`bad label: ${line}`)
    cursor.at += name.length
    if (line.slice(cursor.at, cursor.at + 2) !== '="') throw new Error(`bad label: ${line}`)
    cursor.at += 2
    labels[name] = readQuoted(line, cursor)
    if (line[cursor.at] === ',') cursor.at++
    else if (line[cursor.at] !== '}') throw new Error(`bad labels: ${line}`)
  }
  cursor.at++
  return labels
}

function readQuoted(line: string, cursor: { at: number }): string {
  let text = ''
  for (; line[cursor.at] !== '"'; cursor.at++) {
    if (cursor.at >= line.length) throw new Error(`the label value does not end: ${line}`)
    if (line[cursor.at] !== '\\') {
      text += line[cursor.at]
      continue
    }
    const escaped = line[++cursor.at]
    if (escaped !== 'n' && escaped !== '"' && escaped !== '\\') throw new Error(`escape: ${line}`)
    text += escaped === 'n' ? '\n' : escaped
  }
  cursor.at++
  return text
}

function readNumber(text: string, line: string): number {
  if (!NUMBER.test(text)) throw new Error(`bad number "${text}": ${line}`)
  return Number(text.replace('Inf', 'Infinity'))
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function checkFamilies(families: readonly ReadFamily[]): void {
  for (const family of families) {
    if (family.type === '') throw new Error(`${family.name} has no type`)
    const metrics = new Map<string, Sample[]>()
    let previous = ''
    for (const sample of family.samples) {
      const { le: _, ...rest } = sample.labels
      const key = JSON.stringify(Object.entries(rest).sort())
      if (key !== previous && metrics.has(key)) throw new Error(`${family.name} is interleaved`)
      previous = key
      metrics.set(key, [...(metrics.get(key) ?? []), sample])
    }
    if (family.type === 'histogram') for (const samples of metrics.values()) checkHistogram(samples)
    if (family.type === 'counter') {
      if (family.samples.some(({ value }) => value < 0)) throw new Error('a counter below 0')
    }
  }
}

function checkHistogram(samples: readonly Sample[]): void {
  const buckets = samples.filter(({ name }) => name.endsWith('_bucket'))
  const bounds = buckets.map(({ labels }) => readNumber(labels.le ?? '', 'le'))
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error('no +Inf bucket')
  for (const [index, { value, exemplar }] of buckets.entries()) {
    const below = bounds[index - 1] ?? Number.NEGATIVE_INFINITY
    if (bounds[index]! <= below) throw new Error('bounds do not ascend')
    if (value < (buckets[index - 1]?.value ?? 0)) throw new Error('buckets do not cumulate')
    if (exemplar !== undefined && !(exemplar.value > below && exemplar.value <= bounds[index]!)) {
      throw new Error(`exemplar ${exemplar.value} is not in (${below}, ${bounds[index]}]`)
    }
  }
  const count = samples.find(({ name }) => name.endsWith('_count'))
  if (count?.value !== buckets.at(-1)!.value) throw new Error('count differs from +Inf')
  if (!samples.some(({ name }) => name.endsWith('_sum'))) throw new Error('no sum')
}
