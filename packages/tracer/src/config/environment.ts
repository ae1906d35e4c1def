/** The one way to the process's environment; everything beyond `config/` gets it as an argument. */
export type Environment = Readonly<Record<string, string | undefined>>

export function processEnvironment(): Environment {
  return process.env
}
