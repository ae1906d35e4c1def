/** Every exemplar on /metrics must open: its trace is stored, with its span in it. */
import { type QueryClient, QueryError } from '@spanloom/query-api'
import { parseOpenMetrics, type Sample } from './openmetrics.ts'

export interface ExemplarReport {
  /** Different (trace, span) pairs that were shown. */
  readonly shown: number
  readonly open: number
  /** The first few that did not open, as sentences. */
  readonly closed: readonly string[]
}

export interface ExemplarAudit {
  /** Scrapes, and opens what was not opened before. Returns the samples of the scrape. */
  scrape(): Promise<readonly Sample[]>
  report(): ExemplarReport
}

const CLOSED_SHOWN_MAX = 10
/** Opened at a time: people click one after another, so this is no load test. */
const OPENED_AT_ONCE = 4

export function createExemplarAudit(uiUrl: string, query: QueryClient): ExemplarAudit {
  const seen = new Set<string>()
  const closed: string[] = []
  /** The collector was gone when they were to be opened: they have to open when it is back. */
  const unreached: [traceId: string, spanId: string][] = []
  let open = 0

  const check = async (traceId: string, spanId: string): Promise<void> => {
    try {
      const trace = await query('trace', { traceId })
      if (trace.spans.some((span) => span.spanId === spanId)) open++
      else closed.push(`exemplar ${traceId}: the trace is there, its span ${spanId} is not`)
    } catch (error) {
      if (error instanceof QueryError) closed.push(`exemplar ${traceId}: ${error.message}`)
      else unreached.push([traceId, spanId])
    }
  }

  return {
    scrape: async () => {
      const samples = await scrapeMetrics(uiUrl)
      const toOpen = unreached.splice(0)
      for (const { exemplar } of samples) {
        const { trace_id: traceId = '', span_id: spanId = '' } = exemplar?.labels ?? {}
        if (exemplar === undefined || seen.has(`${traceId} ${spanId}`)) continue
        seen.add(`${traceId} ${spanId}`)
        toOpen.push([traceId, spanId])
      }
      const openRest = async (): Promise<void> => {
        for (let next = toOpen.pop(); next !== undefined; next = toOpen.pop()) await check(...next)
      }
      await Promise.all(Array.from({ length: OPENED_AT_ONCE }, openRest))
      return samples
    },
    report: () => ({ shown: seen.size, open, closed: closed.slice(0, CLOSED_SHOWN_MAX) })
  }
}

export async function scrapeMetrics(uiUrl: string): Promise<readonly Sample[]> {
  const response = await fetch(`${uiUrl}/metrics`, {
    headers: { accept: 'application/openmetrics-text; version=1.0.0; charset=utf-8' }
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}: ${text}`)
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/openmetrics-text')) throw new Error(`/metrics is ${type}`)
  return parseOpenMetrics(text)
}
