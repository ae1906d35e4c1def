/** The one way to the process's environment; everything beyond `config/` gets it as an argument. */
export type Environment = Readonly<Record<string, string | undefined>>

export function processEnvironment(): Environment {
  return process.env
}

/** Whether the command line, or NODE_OPTIONS, loads things before the app: the tracer is one of them. */
export function isPreloaded(): boolean {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  return flags.some((flag) => /(?:^|\s)(?:--import|--require|-r)(?:[\s=]|$)/.test(flag))
}

/**
 * Jest runs the app's modules in a sandbox in which nothing can be instrumented, with a global object for each
 * test file: there would be as many tracers. An app that a test has started as a process of its own is none
 * of that, and inherits the variable.
 */
export function isUnderJest(): boolean {
  const isJest = /[\\/]jest(?:-[\w-]+)?(?:[\\/.]|$)/.test(process.argv[1] ?? '')
  return isJest && process.env.JEST_WORKER_ID !== undefined
}
