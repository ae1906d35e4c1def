// Loads a library, as its arguments say, and stays.
import { load } from './steps.mjs'

const [name, how] = process.argv.slice(2)
await load(name, how)
setInterval(() => {}, 1_000)
