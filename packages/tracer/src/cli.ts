#!/usr/bin/env node
/** `spanloom-tracer <command>`. A command is loaded when it is asked for. */
import type { Command } from './cli/command.ts'

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  doctor: async () => (await import('./cli/doctor.ts')).doctor,
  config: async () => (await import('./cli/show-config.ts')).showConfig,
  help: async () => (await import('./cli/help.ts')).help
}

const [word = 'help', ...args] = process.argv.slice(2)
const name = word === '--help' || word === '-h' ? 'help' : word
if (Object.hasOwn(COMMANDS, name)) {
  const command = await COMMANDS[name]!()
  process.exitCode = await command(args, (text) => void process.stdout.write(text))
} else {
  const known = Object.keys(COMMANDS).join(', ')
  process.stderr.write(`spanloom-tracer: there is no command "${word}". There are: ${known}.\n`)
  process.exitCode = 2
}
