/**
 * bullmq, by the prototypes of its classes:
 *
 *   Queue.add, addBulk; FlowProducer.add, addBulk   `send`
 *   Worker.processJob                               `process`, one for each attempt of a job
 *
 * The context travels in the job's `opts.telemetry.metadata`, as JSON, where bullmq's own telemetry has it: a
 * job that one of the two has sent is continued by the other. With telemetry of the app's own on a queue
 * or worker nothing is done here. Jobs that repeat carry no context: each run would join the trace that
 * once set them up.
 *
 * A worker's waiting for jobs is not traced: it would be a root span for each poll.
 */
import { MESSAGING_BATCH_MESSAGE_COUNT, MESSAGING_MESSAGE_ID } from '@spanloom/otlp'
import { SUPPRESSED_FRAME } from '../context/frame.ts'
import type { Headers } from '../propagate/propagator.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, endWithResult, failSpan, runWithSpan, wrapMethod } from './calls.ts'
import { announce, type Instruments, injectHeaders } from './instruments.ts'
import { handleMessage, startProcess, startSend, textHeaders } from './messages.ts'
import type { Instrumentation } from './registry.ts'

interface JobOptions {
  readonly repeat?: unknown
  readonly telemetry?: { readonly metadata?: string; readonly omitContext?: boolean }
}

interface JobToSend {
  readonly opts?: JobOptions
  readonly children?: readonly JobToSend[]
}

interface Job {
  readonly id?: string
  readonly opts?: JobOptions
}

interface Flow extends JobToSend {
  readonly queueName: string
}

/** A queue, a worker or a flow producer. */
interface Owner {
  readonly name?: string
  readonly opts?: { readonly telemetry?: unknown }
}

type Classes = Readonly<Record<string, { readonly prototype: object }>>

const SYSTEM = 'bullmq'

/** What a processor throws to have its job wait: no failure. */
const WAITS = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError'])

const bullmq: Instrumentation = {
  patches: {
    queue(exports, instruments) {
      const { prototype } = (exports as Classes).Queue!
      wrapMethod(prototype, 'add', (add) =>
        sending(add, instruments, {
          destination: (queue) => queue.name ?? '',
          count: () => undefined,
          carry: (args, metadata) => {
            args[2] = carrying({ opts: args[2] as JobOptions }, metadata).opts
          }
        })
      )
      wrapMethod(prototype, 'addBulk', (addBulk) =>
        sending(addBulk, instruments, {
          destination: (queue) => queue.name ?? '',
          count: (args) => (args[0] as unknown[]).length,
          carry: (args, metadata) => {
            args[0] = (args[0] as JobToSend[]).map((job) => carrying(job, metadata))
          }
        })
      )
    },
    flowProducer(exports, instruments) {
      const { prototype } = (exports as Classes).FlowProducer!
      wrapMethod(prototype, 'add', (add) =>
        sending(add, instruments, {
          destination: (_, args) => (args[0] as Flow).queueName,
          count: () => undefined,
          carry: (args, metadata) => {
            args[0] = carrying(args[0] as Flow, metadata)
          }
        })
      )
      wrapMethod(prototype, 'addBulk', (addBulk) =>
        sending(addBulk, instruments, {
          destination: (_, args) => (args[0] as Flow[])[0]?.queueName ?? 'flows',
          count: (args) => (args[0] as unknown[]).length,
          carry: (args, metadata) => {
            args[0] = (args[0] as Flow[]).map((flow) => carrying(flow, metadata))
          }
        })
      )
    },
    worker(exports, instruments) {
      const { prototype } = (exports as Classes).Worker!
      const open = new WeakMap<object, AnySpan>()
      wrapMethod(prototype, 'processJob', (process) => processing(process, instruments, open))
      wrapMethod(prototype, 'callProcessJob', (call) => calling(call, open))
      for (const name of ['waitForJob', 'moveToActive', 'moveStalledJobsToWait']) {
        wrapMethod(prototype, name, (original) => untraced(original, instruments))
      }
    }
  }
}

export default bullmq

interface Sending {
  destination(owner: Owner, args: readonly unknown[]): string
  count(args: readonly unknown[]): number | undefined
  /** Puts the context into the arguments, in place of the app's objects and not in them. */
  carry(args: unknown[], metadata: string): void
}

function hasOwnTelemetry(owner: Owner & { readonly telemetry?: unknown }): boolean {
  return Boolean(owner.opts?.telemetry ?? owner.telemetry)
}

function sending(original: AnyFunction, instruments: Instruments, how: Sending): AnyFunction {
  return function (this: Owner, ...args: unknown[]): unknown {
    let span: AnySpan | undefined
    try {
      if (!hasOwnTelemetry(this)) span = beginSend(this, args, instruments, how)
    } catch (fault) {
      instruments.guard.report('bullmq add', fault)
    }
    if (span === undefined) return original.apply(this, args)
    const begun = span
    return endWithResult(
      begun,
      () => runWithSpan(instruments, begun, () => original.apply(this, args)),
      (job) => {
        const id = (job as Job | undefined)?.id
        if (typeof id === 'string' && begun instanceof RecordingSpan) {
          begun.put(MESSAGING_MESSAGE_ID, id)
        }
      }
    )
  }
}

function beginSend(
  owner: Owner,
  args: unknown[],
  instruments: Instruments,
  how: Sending
): AnySpan | undefined {
  const destination = how.destination(owner, args)
  const count = how.count(args)
  const span = startSend(instruments, SYSTEM, destination)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan && count !== undefined) {
    span.put(MESSAGING_BATCH_MESSAGE_COUNT, count)
  }
  announce(instruments, span)
  const headers: Record<string, string> = {}
  injectHeaders(instruments, span, (name, value) => {
    headers[name] = value
  })
  how.carry(args, JSON.stringify(headers))
  return span
}

/** A copy of the job, and of its children, with the context. */
function carrying(job: JobToSend, metadata: string): JobToSend {
  const { opts, children } = job
  const telemetry = opts?.telemetry
  const carries =
    opts?.repeat === undefined && telemetry?.metadata === undefined && !telemetry?.omitContext
  return {
    ...job,
    ...(carries ? { opts: { ...opts, telemetry: { ...telemetry, metadata } } } : {}),
    ...(children ? { children: children.map((child) => carrying(child, metadata)) } : {})
  }
}

function processing(
  original: AnyFunction,
  instruments: Instruments,
  open: WeakMap<object, AnySpan>
): AnyFunction {
  return function (this: Owner, ...args: unknown[]): unknown {
    const job = args[0] as Job
    let span: AnySpan | undefined
    let headers: Headers | undefined
    try {
      if (!hasOwnTelemetry(this)) {
        headers = headersOf(job, instruments)
        span = startProcess(instruments, SYSTEM, this.name ?? '', headers)
        if (span instanceof RecordingSpan && typeof job.id === 'string') {
          span.put(MESSAGING_MESSAGE_ID, job.id)
        }
        announce(instruments, span)
        open.set(job, span)
      }
    } catch (fault) {
      instruments.guard.report('bullmq process', fault)
    }
    if (span === undefined) return original.apply(this, args)
    return handleMessage(instruments, span, headers, () => original.apply(this, args))
  }
}

function headersOf(job: Job, instruments: Instruments): Headers {
  const metadata = job.opts?.telemetry?.metadata
  if (typeof metadata !== 'string') return {}
  try {
    return textHeaders(instruments, JSON.parse(metadata))
  } catch {
    // Some other telemetry's format: a job without a sender.
    return {}
  }
}

/** The one place that sees the processor fail: processJob itself turns it into the job's state. */
function calling(original: AnyFunction, open: WeakMap<object, AnySpan>): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const span = open.get(args[0] as object)
    if (span === undefined) return original.apply(this, args)
    const note = (error: unknown): never => {
      if (!WAITS.has((error as { name?: string } | undefined)?.name ?? '')) failSpan(span, error)
      throw error
    }
    let result: unknown
    try {
      result = original.apply(this, args)
    } catch (error) {
      return note(error)
    }
    return result instanceof Promise ? result.then(undefined, note) : result
  }
}

function untraced(original: AnyFunction, { contexts }: Instruments): AnyFunction {
  return function (this: Owner, ...args: unknown[]): unknown {
    return contexts.run(SUPPRESSED_FRAME, () => original.apply(this, args))
  }
}
