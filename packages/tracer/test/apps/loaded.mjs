// Says what has been loaded before it, itself included.
const files = globalThis.loadedFiles
const builtins = process.moduleLoadList
console.log(JSON.stringify({ files, builtins }))
