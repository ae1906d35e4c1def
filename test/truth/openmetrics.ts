/**
 * As much of OpenMetrics text as a scrape needs: samples with labels and exemplars. A line that is
 * neither a comment nor a sample is an error, because a scraper would refuse the whole page.
 */
export interface MetricExemplar {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: MetricExemplar
}

const LABELS = String.raw`\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*)\}`
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:${LABELS})? (\S+)(?: (\S+))?(?: # ${LABELS} (\S+)(?: (\S+))?)?$`
)
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g

/** @throws when the page is not OpenMetrics: a line that cannot be read, or no EOF. */
export function parseOpenMetrics(text: string): readonly Sample[] {
  if (!text.endsWith('# EOF\n')) throw new Error('The metrics do not end with "# EOF".')
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const parts = SAMPLE.exec(line)
    if (parts === null) throw new Error(`Not OpenMetrics: ${line}`)
    const [, name, labels, value, , exemplarLabels, exemplarValue] = parts
    samples.push({
      name: name!,
      labels: parseLabels(labels ?? ''),
      value: parseNumber(value!),
      ...(exemplarValue === undefined
        ? {}
        : { exemplar: { labels: parseLabels(exemplarLabels!), value: parseNumber(exemplarValue) } })
    })
  }
  return samples
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [, name, value] of text.matchAll(LABEL)) {
    labels[name!] = value!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
  }
  return labels
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  const value = Number(text)
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`Not a number: ${text}`)
  return value
}
