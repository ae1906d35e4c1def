/**
 * mongoose 7, 8 and 9: no span of its own, because the driver's says all that there is: one span for one
 * operation. What the driver cannot know is who asked: operations that come before the connection stands
 * wait in the collection's queue, which mongoose 7 and 8 work off in the context of the connection. Each is
 * given the context it came with. From 9 on the queue is of promises, which carry it.
 */
import type { Context } from '@opentelemetry/api'
import { type AnyFunction, wrapMethod } from './calls.ts'
import type { Instrumentation } from './registry.ts'

interface Collection {
  queue: [string | AnyFunction, readonly unknown[] | undefined][]
  readonly [method: string]: unknown
}

const mongoose: Instrumentation = {
  patches: {
    collection: (exports, { contexts, usage }) => {
      const { storage } = contexts
      const { prototype } = exports as { prototype: object }
      /** By the list of arguments, which is the entry's own. */
      const waiting = new WeakMap<readonly unknown[], Context>()

      function inItsContext(entry: Collection['queue'][number]): Collection['queue'][number] {
        const [method, args] = entry
        const context = args === undefined ? undefined : waiting.get(args)
        if (context === undefined) return entry
        const call = function (this: Collection, ...given: unknown[]) {
          const fn = (typeof method === 'function' ? method : this[method]) as AnyFunction
          return storage.run(context, () => fn.apply(this, given))
        }
        return [call, args]
      }

      wrapMethod(
        prototype,
        'addQueue',
        (addQueue) =>
          function (this: Collection, method, args) {
            const context = storage.getStore()
            if (context !== undefined && Array.isArray(args)) {
              usage.count++
              waiting.set(args, context)
            }
            return addQueue.call(this, method, args)
          }
      )
      wrapMethod(
        prototype,
        'doQueue',
        (doQueue) =>
          function (this: Collection) {
            if (Array.isArray(this.queue)) this.queue = this.queue.map(inItsContext)
            return doQueue.call(this)
          }
      )
    }
  }
}

export default mongoose
