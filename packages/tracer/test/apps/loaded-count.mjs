// Keeps the files that are loaded after it.
import { registerHooks } from 'node:module'

globalThis.loadedFiles = []
registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith('file:')) globalThis.loadedFiles.push(url)
    return nextLoad(url, context)
  }
})
