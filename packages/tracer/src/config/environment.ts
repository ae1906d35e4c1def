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
