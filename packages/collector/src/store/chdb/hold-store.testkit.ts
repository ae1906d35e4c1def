/** A program that opens the store in the directory of its argument, says its engine's pid, stays. */
import { createChdbStore } from './chdb-store.ts'

const options = { dataDir: process.argv[2]!, retentionHours: 72, nowUnixMs: Date.now }
const store = createChdbStore(options)
await store.open(new AbortController().signal)
process.stdout.write(String(store.enginePid))
setInterval(() => {}, 1_000)
