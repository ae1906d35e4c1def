import type { Sender } from './sender.ts'

/** Where no signal is exported: no thread, no socket. */
export const NO_SENDER: Sender = {
  send() {},
  async flush() {},
  flushAtExit: () => 0,
  busyMs: 0,
  sayName() {},
  async close() {}
}
