/** The search form: a draft until it is submitted, then the address. */
import { LIMITS } from '@spanloom/query-api'
import { type FormEvent, useId, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { parseDurationMs, writeDurationMs } from '../../model/parse-duration.ts'
import { windowKey, windowParams } from '../../model/time-window.ts'
import { EMPTY_SEARCH, type RouteOf, type TraceSearch } from '../../model/url.ts'
import { navigate } from '../../state/router.ts'

type TracesRoute = RouteOf<'traces'>

interface Draft {
  readonly service: string
  readonly operation: string
  readonly min: string
  readonly max: string
  readonly status: '' | 'error' | 'ok'
  readonly attribute: string
}

export function SearchForm({ route }: { readonly route: TracesRoute }) {
  const { search } = route
  const [draft, setDraft] = useState<Draft>(() => draftOf(search))
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const [problem, setProblem] = useState<string | undefined>(undefined)

  const run = (next: Draft, attributes: readonly string[]) => {
    const result = searchOf(next, attributes)
    if ('problem' in result) setProblem(result.problem)
    else {
      setProblem(undefined)
      navigate({ ...route, search: result.search })
    }
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    const typed = draft.attribute.trim()
    run(draft, typed === '' ? search.attributes : [...search.attributes, typed])
  }
  const runWith = (part: Partial<Draft>) => {
    set(part)
    run({ ...draft, ...part }, search.attributes)
  }
  return (
    <form className="search-form" onSubmit={onSubmit} aria-label="Search traces">
      <ServiceField
        route={route}
        value={draft.service}
        onChange={(service) => runWith({ service, operation: '' })}
      />
      <OperationField
        route={route}
        value={draft.operation}
        onChange={(operation) => set({ operation })}
      />
      <label className="field is-short">
        <span>Min duration</span>
        <input
          name="minDuration"
          placeholder="e.g. 250ms"
          value={draft.min}
          onChange={(event) => set({ min: event.target.value })}
        />
      </label>
      <label className="field is-short">
        <span>Max duration</span>
        <input
          name="maxDuration"
          placeholder="e.g. 2s"
          value={draft.max}
          onChange={(event) => set({ max: event.target.value })}
        />
      </label>
      <label className="field is-short">
        <span>Status</span>
        <select
          name="status"
          value={draft.status}
          onChange={(event) => runWith({ status: event.target.value as Draft['status'] })}
        >
          <option value="">Any</option>
          <option value="error">Error</option>
          <option value="ok">No error</option>
        </select>
      </label>
      <label className="field is-wide">
        <span>Attribute</span>
        <input
          name="attribute"
          className="mono"
          placeholder="key=value"
          spellCheck={false}
          value={draft.attribute}
          onChange={(event) => set({ attribute: event.target.value })}
        />
      </label>
      <div className="search-actions">
        <button type="submit" className="button is-primary">
          Search
        </button>
        {JSON.stringify(search) !== JSON.stringify(EMPTY_SEARCH) && (
          <button
            type="button"
            className="button is-quiet"
            onClick={() => navigate({ ...route, search: EMPTY_SEARCH })}
          >
            Clear
          </button>
        )}
      </div>
      {search.attributes.length > 0 && (
        <ul className="chips" aria-label="Attributes searched for">
          {search.attributes.map((pair) => (
            <li key={pair} className="chip">
              <code>{pair}</code>
              <button
                type="button"
                aria-label={`Remove ${pair}`}
                onClick={() =>
                  run(
                    draft,
                    search.attributes.filter((other) => other !== pair)
                  )
                }
              >
                <Icon name="close" size={12} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {problem !== undefined && (
        <p className="form-problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}

interface FieldProps {
  readonly route: TracesRoute
  readonly value: string
  readonly onChange: (value: string) => void
}

function ServiceField({ route, value, onChange }: FieldProps) {
  const { data } = useQuery({
    route: 'services',
    key: windowKey(route.window),
    params: (now) => windowParams(route.window, now),
    live: false
  })
  const names = (data?.services ?? []).map((row) => row.service).sort()
  // A service that was quiet in this window can still be the one searched for.
  if (value !== '' && !names.includes(value)) names.unshift(value)
  return (
    <label className="field">
      <span>Service</span>
      <select name="service" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">All services</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function OperationField({ route, value, onChange }: FieldProps) {
  const id = useId()
  const { service } = route.search
  return (
    <label className="field">
      <span>Operation</span>
      <input
        name="operation"
        placeholder="Any"
        list={service === undefined ? undefined : id}
        spellCheck={false}
        autoComplete="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {service !== undefined && <OperationNames id={id} service={service} route={route} />}
    </label>
  )
}

function OperationNames(props: {
  readonly id: string
  readonly service: string
  readonly route: TracesRoute
}) {
  const { id, service, route } = props
  const { data } = useQuery({
    route: 'operations',
    key: `${windowKey(route.window)} ${service}`,
    scope: service,
    params: (now) => ({ ...windowParams(route.window, now), service }),
    live: false
  })
  const names = new Set((data?.operations ?? []).map((row) => row.operation))
  return (
    <datalist id={id}>
      {[...names].sort().map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  )
}

function draftOf(search: TraceSearch): Draft {
  return {
    service: search.service ?? '',
    operation: search.operation ?? '',
    min: writeDurationMs(search.minDurationMs),
    max: writeDurationMs(search.maxDurationMs),
    status: search.status ?? '',
    attribute: ''
  }
}

/** What was typed as a search, or what is wrong with it: wrong input is never dropped in silence. */
function searchOf(
  draft: Draft,
  attributes: readonly string[]
): { readonly search: TraceSearch } | { readonly problem: string } {
  const min = draft.min.trim() === '' ? undefined : parseDurationMs(draft.min)
  const max = draft.max.trim() === '' ? undefined : parseDurationMs(draft.max)
  if (
    (draft.min.trim() !== '' && min === undefined) ||
    (draft.max.trim() !== '' && max === undefined)
  ) {
    return { problem: 'A duration is a number with a unit, such as 250ms, 1.5s or 2m.' }
  }
  if (min !== undefined && max !== undefined && min > max) {
    return { problem: 'The least duration is above the greatest.' }
  }
  const wrong = attributes.find((pair) => pair.indexOf('=') < 1)
  if (wrong !== undefined) return { problem: `"${wrong}" is not key=value.` }
  if (attributes.length > LIMITS.attributesPerQuery) {
    return {
      problem: `At most ${LIMITS.attributesPerQuery} attributes can be searched for at once.`
    }
  }
  return {
    search: {
      ...(draft.service === '' ? {} : { service: draft.service }),
      ...(draft.operation.trim() === '' ? {} : { operation: draft.operation.trim() }),
      ...(min === undefined ? {} : { minDurationMs: min }),
      ...(max === undefined ? {} : { maxDurationMs: max }),
      ...(draft.status === '' ? {} : { status: draft.status }),
      attributes: [...new Set(attributes)]
    }
  }
}
