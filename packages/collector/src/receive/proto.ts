/** The messages of `proto/`, for everything off the hot path. */
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

export function loadProto(...files: readonly string[]): protobuf.Root {
  return new protobuf.Root().loadSync(
    files.map((file) => fileURLToPath(new URL(`../../proto/${file}`, import.meta.url)))
  )
}
