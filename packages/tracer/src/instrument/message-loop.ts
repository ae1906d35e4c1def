/**
 * The context of a `for await` loop over messages: the body runs in the message's, what comes after the loop
 * does not.
 *
 * No function of ours encloses the body, and a context that is entered in `next` would be that of all the code
 * which runs until the stack is empty, whoever called the function with the loop. So it is entered at the one
 * moment after which no such code is left: when `await` takes the promise that `next` returned, in a function
 * that nothing but the runtime has called.
 *
 *   for await (message of stream) ── next() ──► promise ── await reads its `constructor` ──► LoopContext is entered
 *                                                             the message comes ──► LoopContext holds it
 *
 *   LoopContext   the outer context ◄── empty, until the message comes, and over, from the loop's end on
 *                 the message's     ◄── in between: what the body leaves running keeps it
 *
 * Each message has a LoopContext of its own. A stack of another shape is left as it was, with the span inactive:
 * a generator between the loop and the stream, `Promise.race`, `then`, a loop compiled to no `await`; and the first
 * message of a loop that its caller does not wait for, when nothing is awaited before the loop. A look at the stack
 * costs 2.5 µs a message, here alone.
 *
 * `watchLoop` is what instrumentations use: a message's span is open from when it is handed out until the next is
 * asked for, or the loop ends.
 */
import type { Context } from '@opentelemetry/api'
import type { SpanloomContextManager } from '../context/manager.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { endSpan } from './calls.ts'
import type { Instruments } from './instruments.ts'
import { type BegunMessage, consumerContext } from './messages.ts'

/** Of one message: the outer context, until there is a message. */
class LoopContext implements Context {
  readonly loop: object
  readonly outer: Context
  isOver = false
  #message: Context | undefined = undefined

  constructor(loop: object, outer: Context) {
    this.loop = loop
    this.outer = outer
  }

  hold(message: Context): void {
    this.#message = message
  }

  close(): void {
    this.isOver = true
    this.#message = undefined
  }

  get #current(): Context {
    return this.#message ?? this.outer
  }

  getValue(key: symbol): unknown {
    return this.#current.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#current.setValue(key, value)
  }

  deleteValue(key: symbol): Context {
    return this.#current.deleteValue(key)
  }
}

export class MessageLoop<Message> {
  readonly #contexts: SpanloomContextManager
  /** The message that the body works on, and the one that is waited for. */
  #taken: LoopContext | undefined = undefined
  #asked: LoopContext | undefined = undefined

  constructor(contexts: SpanloomContextManager) {
    this.#contexts = contexts
  }

  /** `read` asks for the next message; `begin` makes its context and never throws. */
  next(
    read: () => Promise<IteratorResult<Message>>,
    begin: (message: Message) => Context | undefined
  ): Promise<IteratorResult<Message>> {
    const outer = this.#outerContext()
    const asked = new LoopContext(this, outer)
    this.#asked = asked
    let isEntered = false
    const settle = (result: IteratorResult<Message> | undefined) => {
      // Whoever is in the context of the message before, and did not come along, is not to stay there.
      if (!isEntered) this.#taken?.close()
      this.#taken = asked
      const context = result === undefined || result.done ? undefined : begin(result.value)
      if (context === undefined) asked.close()
      else asked.hold(context)
    }
    // The library's own work is of no message.
    const promise = this.#contexts.run(outer, () =>
      read().then(
        (result) => {
          settle(result)
          return result
        },
        (error) => {
          settle(undefined)
          throw error
        }
      )
    )
    const enter = () => {
      const isLast = this.#asked === asked && this.#outerContext() === outer
      if (!isEntered && isLast && isOnlyAwaiting(enter)) {
        isEntered = true
        this.#contexts.beginCallback(asked)
      }
      return Promise
    }
    return Object.defineProperty(promise, 'constructor', { configurable: true, get: enter })
  }

  end(): void {
    this.#taken?.close()
    this.#asked?.close()
  }

  /** What is active, but for contexts of this loop and of loops that are over. */
  #outerContext(): Context {
    let context = this.#contexts.active()
    while (context instanceof LoopContext && (context.loop === this || context.isOver)) {
      context = context.outer
    }
    return context
  }
}

/** Passes on what a loop gets. `begin` never throws. */
export function watchLoop<Message>(
  instruments: Instruments,
  iterator: AsyncIterator<Message>,
  begin: (message: Message) => BegunMessage | undefined
): AsyncIterableIterator<Message> {
  const loop = new MessageLoop<Message>(instruments.contexts)
  let open: AnySpan | undefined
  const end = (error?: unknown) => {
    if (open !== undefined) endSpan(open, error)
    open = undefined
  }
  const read = () => iterator.next()
  const take = (message: Message) => {
    const begun = begin(message)
    open = begun?.span
    return begun && consumerContext(instruments, begun.span, begun.headers)
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      end()
      return loop.next(read, take)
    },
    async return(value?: unknown) {
      end()
      loop.end()
      return (await iterator.return?.(value)) ?? { done: true, value: undefined }
    },
    async throw(error?: unknown) {
      end(error)
      loop.end()
      return (await iterator.throw?.(error)) ?? { done: true, value: undefined }
    }
  }
}

/**
 * Whether what reads `constructor` is an `await`, in a function that the runtime has called: then nobody else's
 * code comes before the runtime puts its own context back. `then` and the like have a line in the stack.
 */
function isOnlyAwaiting(getter: () => unknown): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  try {
    Error.stackTraceLimit = 2
    Error.prepareStackTrace = (_error, sites) => sites
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder, getter)
    const [reader, caller] = holder.stack as NodeJS.CallSite[]
    if (reader === undefined || isAsyncSite(reader) || !reader.getFileName()) return false
    if (caller === undefined || isAsyncSite(caller)) return true
    return caller.getFileName() === TASK_QUEUES
  } catch {
    // Where the properties are frozen: the stack is not known.
    return false
  } finally {
    try {
      Object.assign(Error, { stackTraceLimit, prepareStackTrace })
    } catch {
      // Frozen as well: nothing was changed.
    }
  }
}

/** Where the runtime calls what waits in its queues. */
const TASK_QUEUES = 'node:internal/process/task_queues'

/** A line that is no call: who waits for the function. */
function isAsyncSite(site: NodeJS.CallSite): boolean {
  return (site as { isAsync?(): boolean }).isAsync?.() === true
}
