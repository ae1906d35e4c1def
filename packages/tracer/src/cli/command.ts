/** What a command is: it writes to `out`, and its number is the process's exit code. */
export type Command = (args: readonly string[], out: (text: string) => void) => Promise<number>
