/** The one way to the process's environment; everything beyond `config/` gets it as an argument. */
import type { Environment } from './parse.ts'

export function processEnvironment(): Environment {
  return process.env
}
