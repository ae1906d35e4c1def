/** `spanloom-tracer config`: the settings that are in effect here. What is wrong with them goes to stderr. */
import { readConfig } from '../config/config.ts'
import { processEnvironment } from '../config/environment.ts'
import { inEffectText } from '../config/in-effect.ts'
import type { Sources } from '../config/parse.ts'
import { notifyStderr } from '../notices.ts'
import type { Command } from './command.ts'

export const showConfig: Command = async (_args, out) => {
  const sources: Sources = new Map()
  const environment = processEnvironment()
  const config = readConfig(notifyStderr, environment, sources)
  out(inEffectText(config, sources, environment))
  return 0
}
