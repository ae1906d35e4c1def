/**
 * The head sampler: whether a span is recorded, decided when it starts.
 *
 *   a local root  ─→ the collector's rate, a rule, a ratio, a limit, a service   (root-sampler.ts)
 *   its children  ─→ as their parent, so that a trace is whole in a process
 *
 * `SpanStarter` reads two fields, `keepsRoots` and `children`, and asks only when they do not settle it:
 * with the default, nothing is called and nothing but this file is loaded. What is not sampled still
 * carries its ids on, with the flag off.
 *
 * `mayDrop` tells whoever counts spans in this process that some are not sampled. It is false while that
 * is certain, and then true for good. `parentbased_always_on` drops what a caller has dropped, or what
 * the collector's rate leaves out: it becomes true at the first such span, in the very call that makes
 * it and before it is made, so a counter that starts in `onMayDrop` misses none, and an app whose callers
 * sample everything pays nothing for the possibility.
 */
import type { Sampler } from '../compat.ts'
import { requireOwn } from '../lib/own-file.ts'
import type { SpanIdentity } from '../trace/span-identity.ts'
import type { RootSampler } from './root-sampler.ts'
import { type HeadRequest, KEPT, type SamplingResult } from './sampling-result.ts'
import type { SamplerParts, SamplingSettings } from './sampling-settings.ts'

export const SAMPLER_NAMES = [
  'always_on',
  'always_off',
  'traceidratio',
  'rate_limited',
  'jaeger_remote',
  'xray',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'parentbased_rate_limited',
  'parentbased_jaeger_remote'
] as const
export type SamplerName = (typeof SAMPLER_NAMES)[number]

export const NO_SAMPLING_SETTINGS: SamplingSettings = {
  samplerArg: undefined,
  samplerIsSet: false,
  sampleRate: undefined,
  samplingRules: undefined,
  tracesPerSecondMax: undefined,
  samplingFromCollector: false
}

/** Spans with a parent do as it does. */
export const FOLLOW = 0
/** … unless it is in another process: then they are asked about like roots. */
export const ASK_BELOW_REMOTE = 1
/** All are asked about: the app's own sampler. */
export const ASK = 2
/** All are sampled. */
export const KEEP = 3

const SAMPLED = 1

/** Loaded when there is something to decide: `always_on` alone needs none of it. */
type RootCode = typeof import('./root-sampler.ts')
type SdkCode = typeof import('./sdk-sampler.ts')
type StateCode = typeof import('./ot-tracestate.ts')

export class HeadSampler {
  /** A root is sampled without being asked about. */
  keepsRoots: boolean
  children: typeof FOLLOW | typeof ASK_BELOW_REMOTE | typeof ASK | typeof KEEP
  /** Whether attributes, links and context change a decision: only then are they made for it. */
  readsFacts = false
  #mayDrop = false
  readonly #name: SamplerName
  readonly #settings: SamplingSettings
  readonly #parts: SamplerParts
  readonly #listeners: (() => void)[] = []
  #root: RootSampler | undefined = undefined
  #decideWith: ((request: HeadRequest) => SamplingResult) | undefined = undefined

  constructor(name: SamplerName, settings: SamplingSettings, parts: SamplerParts) {
    this.#name = name
    this.#settings = settings
    this.#parts = parts
    const { samplingRules, tracesPerSecondMax, sampleRate, samplerIsSet } = settings
    const isPlain =
      samplingRules === undefined &&
      tracesPerSecondMax === undefined &&
      (sampleRate === undefined || samplerIsSet)
    this.keepsRoots = isPlain && (name === 'always_on' || name === 'parentbased_always_on')
    // X-Ray's sampler is one that follows its parent, by whatever tracer.
    if (name.startsWith('parentbased_') || name === 'xray') this.children = FOLLOW
    else this.children = this.keepsRoots ? KEEP : ASK_BELOW_REMOTE
    if (this.keepsRoots) return
    const root = this.#rootSampler()
    this.keepsRoots = root.keepsAll
    this.readsFacts = root.readsFacts
    if (!root.keepsAll) this.droppedOne()
  }

  get mayDrop(): boolean {
    return this.#mayDrop
  }

  /** Calls back once, as soon as `mayDrop` is true. */
  onMayDrop(listener: () => void): void {
    if (this.#mayDrop) listener()
    else this.#listeners.push(listener)
  }

  /** @hot For what the fields do not settle. Never throws. */
  decide(request: HeadRequest): SamplingResult {
    if (this.#decideWith !== undefined) return this.#decideWith(request)
    return this.#root === undefined ? KEPT : this.#root.decide(request)
  }

  /** A span is about to be left out. */
  droppedOne(): void {
    if (this.#mayDrop) return
    this.#mayDrop = true
    for (const listener of this.#listeners.splice(0)) listener()
  }

  /**
   * The tracestate that a child of a remote parent carries on. A threshold that contradicts the parent's
   * own flag would make every count that is adjusted by it wrong, and is left out.
   */
  carriedState(parent: SpanIdentity): string {
    const { traceState, traceFlags } = parent
    if ((traceFlags & SAMPLED) === 0 || !traceState.includes('th:')) return traceState
    return requireOwn<StateCode>('sample/ot-tracestate').consistentState(parent)
  }

  /** Whether `scale` has an effect: the literal samplers mean what they say, and the app's own too. */
  get isScalable(): boolean {
    return this.#name.endsWith('traceidratio') || this.#name === 'parentbased_always_on'
  }

  /** A rate from outside, by which the share of roots that no rule decides about is multiplied. */
  scale(rate: number): void {
    if (!this.isScalable || this.#decideWith !== undefined) return
    if (rate === 1 && this.#root === undefined) return
    const root = this.#rootSampler()
    root.scale(rate)
    this.keepsRoots = root.keepsAll
    if (!root.keepsAll) this.droppedOne()
  }

  /** From now on the app's sampler decides about every span. */
  use(sampler: Sampler): void {
    const { guard } = this.#parts
    const { decideWith } = requireOwn<SdkCode>('sample/sdk-sampler')
    this.#decideWith = (request) => decideWith(sampler, guard, request)
    this.keepsRoots = false
    this.children = ASK
    this.readsFacts = true
    this.#root?.close()
    this.droppedOne()
  }

  /** No sampling service is asked any more. */
  close(): void {
    this.#root?.close()
  }

  #rootChanged(): void {
    if (this.#root === undefined || this.#decideWith !== undefined) return
    this.readsFacts = this.#root.readsFacts
  }

  #rootSampler(): RootSampler {
    this.#root ??= requireOwn<RootCode>('sample/root-sampler').createRootSampler(
      this.#name,
      this.#settings,
      this.#parts,
      () => this.#rootChanged()
    )
    return this.#root
  }
}
