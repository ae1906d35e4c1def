/**
 * Libraries that do the work of many callers in one place and call back from there: what they are given runs in
 * the context of who gave it. They have no spans.
 *
 *   async          a task of `queue`, `priorityQueue`, `cargo`, `cargoQueue` has the context of its `push`, the
 *                  worker as well as the task's callback; a cargo of many has that of its first. `memoize`'s
 *                  callbacks have that of their own call
 *   bluebird       by its own `asyncHooks`: 0.1 µs a `then` with Node 24, 0.25 µs with 22
 *   bottleneck     what is given to `schedule` and `submit`
 *   lru-memoizer   as async's `memoize`
 *   q              what is given to `then`
 *
 * Nothing is needed for what awaits or chains the runtime's promises: knex, sequelize, typeorm, drizzle, kysely,
 * mikro-orm, objection, generic-pool, tarn, p-limit, p-queue and dataloader keep the context by themselves. A batch of
 * a dataloader has that of the `load` which began it. fastq is as it was: it shows no place to put a context.
 *
 * Limits: a queue's events (`drain`, `error`) have the context of the task that was last done. `async/queue`,
 * required by its own file, is as it was; so is bluebird before 3.7, which has no `asyncHooks`.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Context } from '@opentelemetry/api'
import { ROOT_FRAME } from '../context/frame.ts'
import { type AnyFunction, named, wrapMethod } from './calls.ts'
import type { Instruments } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

const CONTEXT = Symbol('spanloom.context')

interface Task {
  callback?: unknown
  [CONTEXT]?: Context
}

interface Queue {
  readonly _tasks?: object
  workersList?(): readonly Task[]
}

interface Bluebird {
  config?: (options: { asyncHooks: boolean }) => unknown
  getNewLibraryCopy?: AnyFunction
}

/** The class is the former in 1 and the latter in 2; the other of each has no `then`. */
interface Q {
  readonly makePromise: { readonly prototype: object }
  readonly Promise: { readonly prototype: object }
}

const sharedWork: Instrumentation = {
  patches: {
    async(exports, instruments) {
      for (const name of ['queue', 'priorityQueue', 'cargo', 'cargoQueue']) {
        const isCargo = name.startsWith('cargo')
        wrapMethod(exports as object, name, (make) => queueMaker(make, isCargo, instruments))
      }
      wrapMethod(exports as object, 'memoize', (memoize) => memoizerOf(memoize, instruments))
    },
    bluebird(exports, instruments) {
      carryByHooks(exports as Bluebird, instruments)
    },
    bottleneck(exports, instruments) {
      const { prototype } = exports as { prototype: object }
      carryGiven(prototype, ['schedule', 'submit'], instruments)
    },
    memoizer(exports, instruments) {
      const holder = exports as object
      wrapMethod(holder, 'asyncMemoizer', (memoize) => memoizerOf(memoize, instruments))
    },
    q(exports, instruments) {
      const { makePromise, Promise: made } = exports as Q
      carryGiven(makePromise.prototype, ['then'], instruments)
      carryGiven(made.prototype, ['then'], instruments)
    }
  }
}

export default sharedWork

/** The work of nobody has no context, rather than that of whoever was served before. */
function carried<Fn extends AnyFunction>(fn: Fn, storage: AsyncLocalStorage<Context>): Fn {
  const context = storage.getStore() ?? ROOT_FRAME
  return function (this: unknown, ...args: unknown[]) {
    return storage.run(context, () => fn.apply(this, args))
  } as Fn
}

function carryGiven(owner: object, methods: readonly string[], instruments: Instruments): void {
  const { contexts, usage } = instruments
  usage.count++
  for (const method of methods) {
    wrapMethod(
      owner,
      method,
      (original) =>
        function (this: unknown, ...args: unknown[]) {
          const given = args.map((each) =>
            typeof each === 'function' ? carried(each as AnyFunction, contexts.storage) : each
          )
          return original.apply(this, given)
        }
    )
  }
}

function carryByHooks(bluebird: Bluebird, instruments: Instruments): void {
  instruments.usage.count++
  bluebird.config?.({ asyncHooks: true })
  wrapMethod(
    bluebird,
    'getNewLibraryCopy',
    (copy) =>
      function (this: unknown, ...args: unknown[]) {
        const made: Bluebird = copy.apply(this, args)
        instruments.guard.wrap('bluebird', () => carryByHooks(made, instruments))()
        return made
      }
  )
}

function queueMaker(make: AnyFunction, isCargo: boolean, instruments: Instruments): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    let queue: Queue | undefined
    const worker = args[0]
    if (typeof worker === 'function') {
      args[0] = workerOf(worker as AnyFunction, isCargo, () => queue, instruments)
    }
    const made: Queue = make.apply(this, args)
    try {
      instruments.usage.count++
      if (made._tasks !== undefined) watchTasks(made._tasks, instruments)
      queue = made
    } catch (fault) {
      instruments.guard.report('async queue', fault)
    }
    return made
  }
}

/** What is put in keeps the context; the task's callback, which may be a promise's, is called in it. */
function watchTasks(tasks: object, { contexts: { storage } }: Instruments): void {
  for (const name of ['push', 'unshift']) {
    wrapMethod(
      tasks,
      name,
      (add) =>
        function (this: unknown, task: Task) {
          const context = storage.getStore() ?? ROOT_FRAME
          task[CONTEXT] = context
          const { callback } = task
          if (typeof callback === 'function') {
            task.callback = carried(callback as AnyFunction, storage)
          }
          return add.call(this, task)
        }
    )
  }
}

/** The worker is called when its tasks, one or a cargo, are the last of the list. */
function workerOf(
  worker: AnyFunction,
  isCargo: boolean,
  queueOf: () => Queue | undefined,
  { contexts: { storage } }: Instruments
): AnyFunction {
  const wrapper = named(worker, function (this: unknown, ...args: unknown[]) {
    const running = queueOf()?.workersList?.() ?? []
    const tasks = isCargo && Array.isArray(args[0]) ? args[0].length : 1
    const context = running.at(-tasks)?.[CONTEXT]
    if (context === undefined) return worker.apply(this, args)
    return storage.run(context, () => worker.apply(this, args))
  })
  // What tells the library that it answers by a promise.
  const tag = (worker as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return tag === undefined
    ? wrapper
    : Object.defineProperty(wrapper, Symbol.toStringTag, { value: tag })
}

/** Who asks for what is being loaded is called back with the others: each in its own context. */
function memoizerOf(memoize: AnyFunction, instruments: Instruments): AnyFunction {
  const { storage } = instruments.contexts
  return function (this: unknown, ...args: unknown[]) {
    instruments.usage.count++
    const memoized: AnyFunction = memoize.apply(this, args)
    const bound = named(memoized, function (this: unknown, ...given: unknown[]) {
      const last = given.length - 1
      const callback = given[last]
      if (typeof callback === 'function') given[last] = carried(callback as AnyFunction, storage)
      return memoized.apply(this, given)
    })
    return Object.assign(bound, memoized)
  }
}
