/** `spanloom-tracer --help`: all settings, from their catalogue. */
import { helpText } from '../config/help.ts'
import type { Command } from './command.ts'

export const help: Command = async (_args, out) => {
  out(helpText())
  return 0
}
