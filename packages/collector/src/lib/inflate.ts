/**
 * Compressed bytes and what they were, whichever way they were compressed: on the thread pool, or
 * at once on a thread that may wait. Never more than `bytesMax` of it is held.
 */
import { promisify } from 'node:util'
import {
  gunzip,
  gunzipSync,
  constants as zlibConstants,
  zstdDecompress,
  zstdDecompressSync
} from 'node:zlib'
import { zstdFrames } from './zstd-frames.ts'

export type Compressed = 'gzip' | 'zstd'

/** zlib's steps: few for a large body, little memory for a small one. */
const CHUNK_BYTES_MAX = 1_048_576
const CHUNK_BYTES_MIN = 16_384

/**
 * 32 MiB, which a decoder may need besides what it gives out. HTTP wants 8 MiB of every decoder
 * (RFC 9659), and some encoders announce 32 at their highest levels, however little they send.
 */
export const ZSTD_WINDOW_LOG_MAX = 25
const ZSTD_PARAMS = { [zlibConstants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX }

const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE'

const gunzipAsync = promisify(gunzip)
const zstdDecompressAsync = promisify(zstdDecompress)

/** @throws what `isTooLarge` knows; any other error says what is wrong with `bytes`. */
export async function inflate(
  bytes: Uint8Array,
  compression: Compressed,
  bytesMax: number
): Promise<Uint8Array> {
  if (compression === 'gzip') return gunzipAsync(bytes, limits(bytes, bytesMax))
  const inflated = new Parts(bytesMax)
  for (const frame of zstdFrames(bytes)) {
    inflated.add(await zstdDecompressAsync(frame, zstdLimits(frame, inflated.bytesLeft)))
  }
  return inflated.join()
}

/** @throws as `inflate` does. */
export function inflateSync(
  bytes: Uint8Array,
  compression: Compressed,
  bytesMax: number
): Uint8Array {
  if (compression === 'gzip') return gunzipSync(bytes, limits(bytes, bytesMax))
  const inflated = new Parts(bytesMax)
  for (const frame of zstdFrames(bytes)) {
    inflated.add(zstdDecompressSync(frame, zstdLimits(frame, inflated.bytesLeft)))
  }
  return inflated.join()
}

/** It was `bytesMax` that was reached: the bytes themselves may be sound. */
export function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === TOO_LARGE
}

function limits(bytes: Uint8Array, bytesMax: number) {
  const chunkSize = Math.min(Math.max(bytes.length * 4, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX)
  return { maxOutputLength: bytesMax, chunkSize }
}

function zstdLimits(frame: Uint8Array, bytesLeft: number) {
  // zlib knows no limit of 0; a last frame may still be empty.
  return { ...limits(frame, Math.max(bytesLeft, 1)), params: ZSTD_PARAMS }
}

/** What the frames of one stream hold, in order. */
class Parts {
  readonly #parts: Uint8Array[] = []
  bytesLeft: number

  constructor(bytesMax: number) {
    this.bytesLeft = bytesMax
  }

  add(part: Uint8Array): void {
    this.bytesLeft -= part.length
    if (this.bytesLeft < 0) throw Object.assign(new RangeError('too large'), { code: TOO_LARGE })
    this.#parts.push(part)
  }

  join(): Uint8Array {
    const [first] = this.#parts
    return first !== undefined && this.#parts.length === 1 ? first : Buffer.concat(this.#parts)
  }
}
