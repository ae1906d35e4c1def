/**
 * Many requests at once through what queues work or shares it: each `ask` is the work of one request, and marks
 * where its code runs; `works` are marks of the work that was done for it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { end, load, mark, step } from './steps.mjs'

const [library, how] = process.argv.slice(2)
const REQUESTS = 8
const AT_ONCE = 2

const libraries = {
  async 'generic-pool'(genericPool) {
    const pool = genericPool.createPool(
      { create: async () => ({}), destroy: async () => {} },
      { max: AT_ONCE }
    )
    const ask = async (name) => {
      await pool.use(async () => {
        await sleep(2)
        mark(`${name} used`)
      })
      const held = await pool.acquire()
      mark(`${name} acquired`)
      await sleep(2)
      await pool.release(held)
      // Whoever does not wait is called back by who releases.
      await new Promise((resolve) => {
        pool.acquire().then((it) => {
          mark(`${name} called`)
          pool.release(it).then(resolve)
        })
      })
    }
    return { ask, close: () => pool.drain().then(() => pool.clear()) }
  },

  async tarn({ Pool }) {
    const pool = new Pool({
      create: async () => ({}),
      destroy: () => {},
      min: 0,
      max: AT_ONCE
    })
    const ask = async (name) => {
      const held = await pool.acquire().promise
      mark(`${name} acquired`)
      await sleep(2)
      pool.release(held)
    }
    return { ask, close: () => pool.destroy() }
  },

  async 'p-queue'({ default: PQueue }) {
    const queue = new PQueue({ concurrency: AT_ONCE })
    const ask = async (name) => {
      await queue.add(async () => {
        mark(`${name} began`)
        await sleep(2)
        mark(`${name} worked`)
      })
      mark(`${name} done`)
    }
    return { ask, close() {} }
  },

  async 'p-limit'({ default: pLimit }) {
    const limit = pLimit(AT_ONCE)
    const ask = async (name) => {
      await limit(async () => {
        mark(`${name} began`)
        await sleep(2)
        mark(`${name} worked`)
      })
      mark(`${name} done`)
    }
    return { ask, close() {} }
  },

  async bottleneck(Bottleneck) {
    const limiter = new Bottleneck({ maxConcurrent: AT_ONCE, minTime: 1 })
    const work = async (name) => {
      mark(`${name} began`)
      await sleep(2)
      mark(`${name} worked`)
    }
    const wrapped = limiter.wrap(work)
    const ask = async (name) => {
      await limiter.schedule(work, name)
      await limiter.schedule({ priority: 1 }, () => work(name))
      await wrapped(name)
      await new Promise((resolve, reject) => {
        const submitted = (given, done) => {
          mark(`${given} submitted`)
          setTimeout(done, 1)
        }
        limiter.submit(submitted, name, (error) => {
          mark(`${name} called`)
          error ? reject(error) : resolve()
        })
      })
    }
    return { ask, close: () => limiter.stop() }
  },

  async async(async) {
    const work = (name, done) => {
      mark(`${name} began`)
      setTimeout(() => {
        mark(`${name} worked`)
        done(null, name)
      }, 2)
    }
    const queue = async.queue(work, AT_ONCE)
    const priority = async.priorityQueue(work, AT_ONCE)
    const asynchronous = async.queue(async (name) => {
      mark(`${name} async began`)
      await sleep(2)
      mark(`${name} async worked`)
    }, AT_ONCE)
    const cargo = async.cargo((names, done) => {
      mark(`shared ${names.join('+')}`)
      setTimeout(done, 2)
    }, 4)
    const remembered = async.memoize((_key, done) => setTimeout(done, 2))
    const ask = async (name) => {
      const called = (add, what) =>
        new Promise((resolve, reject) => {
          add((error) => {
            mark(`${name} ${what}`)
            error ? reject(error) : resolve()
          })
        })
      await called((done) => queue.push(name, done), 'pushed')
      await called((done) => queue.unshift(name, done), 'put first')
      await called((done) => priority.push(name, 1, done), 'pushed by priority')
      await queue.push(name)
      mark(`${name} promised`)
      await asynchronous.push(name)
      await called((done) => remembered('key', done), 'remembered')
      await called((done) => cargo.push(name, done), 'loaded')
    }
    return { ask, close() {} }
  },

  async bluebird(Bluebird) {
    // What all wait for is settled by another.
    let settle
    const shared = new Bluebird((resolve) => {
      settle = resolve
    })
    let asked = 0
    const ask = async (name) => {
      if (++asked === REQUESTS) settle('value')
      await new Promise((resolve, reject) => {
        shared
          .then(() => mark(`${name} then`))
          .then(() => Bluebird.delay(2))
          .tap(() => mark(`${name} tap`))
          .then(() => Bluebird.map([1, 2, 3], () => mark(`${name} map`), { concurrency: 1 }))
          .then(() => Bluebird.reject(new Error('expected')))
          .catch(() => mark(`${name} catch`))
          .finally(() => mark(`${name} finally`))
          .then(() => Bluebird.promisify(setImmediate)())
          .spread(() => {})
          .catch(() => {})
          .then(() => mark(`${name} end`))
          .asCallback((error) => {
            mark(`${name} called`)
            error ? reject(error) : resolve()
          })
      })
      await shared
      mark(`${name} awaited`)
      await Bluebird.coroutine(function* () {
        yield Bluebird.delay(1)
        mark(`${name} yielded`)
      })()
    }
    return { ask, close() {} }
  },

  async q(Q) {
    const shared = Q.defer()
    let asked = 0
    const ask = async (name) => {
      if (++asked === REQUESTS) shared.resolve('value')
      await shared.promise
        .then(() => mark(`${name} then`))
        .then(() => Q.delay(2))
        .then(() => Q.reject(new Error('expected')))
        .catch(() => mark(`${name} catch`))
        .finally(() => mark(`${name} finally`))
      mark(`${name} awaited`)
    }
    return { ask, close() {} }
  },

  async 'lru-memoizer'(memoizer) {
    const load = memoizer({
      load: (key, callback) => setTimeout(callback, 5, null, { key }),
      hash: (key) => key,
      max: 10
    })
    const ask = (name) =>
      new Promise((resolve, reject) => {
        load('same', (error) => {
          mark(`${name} loaded`)
          error ? reject(error) : resolve()
        })
      })
    return { ask, close() {} }
  },

  async dataloader(DataLoader) {
    const batch = async (keys) => {
      mark(`shared ${keys.join('+')}`)
      await sleep(2)
      mark(`shared ${keys.join('+')}`)
      return keys
    }
    const shared = new DataLoader(batch, { cache: false })
    const together = Promise.withResolvers()
    let asked = 0
    const ask = async (name) => {
      const own = new DataLoader(batch)
      await Promise.all([own.load(`${name} a`), own.load(`${name} b`)])
      mark(`${name} loaded`)
      // At one time, so that the requests share a batch.
      if (++asked === REQUESTS) together.resolve()
      await together.promise
      await shared.load(name)
      mark(`${name} loaded from all`)
    }
    return { ask, close() {} }
  }
}

// Only as ES modules.
const exports = /^p-/.test(library) ? await import(library) : await load(library, how)
const { ask, close } = await libraries[library.replace(/-\d.*$/, '')](exports)
const requests = Array.from({ length: REQUESTS }, (_, index) => `r${index}`)
// And work that is of no request.
await Promise.all([...requests.map((name) => step(name, () => ask(name))), ask(`r${REQUESTS}`)])
await close()
end()
