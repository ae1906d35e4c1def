import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import {
  createZstdCompress,
  gzipSync,
  constants as zlibConstants,
  zstdCompressSync
} from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inflate, inflateSync, isTooLarge, ZSTD_WINDOW_LOG_MAX } from './inflate.ts'
import { FRAMES_MAX } from './zstd-frames.ts'

const MIB = 1_048_576
const BYTES_MAX = 8 * MIB

const compress = {
  gzip: (bytes: Uint8Array) => gzipSync(bytes),
  zstd: (bytes: Uint8Array) => zstdCompressSync(bytes)
}
const zstdWith = (bytes: Uint8Array, parameter: number, value: number) =>
  zstdCompressSync(bytes, { params: { [parameter]: value } })

/** Both ways; they have to agree, also in how they fail. */
async function inflated(
  bytes: Uint8Array,
  compression: 'gzip' | 'zstd',
  bytesMax = BYTES_MAX
): Promise<Uint8Array> {
  const attempt = async (way: () => Promise<Uint8Array> | Uint8Array) => {
    try {
      return { bytes: Buffer.from(await way()) }
    } catch (error) {
      return { error: error as Error }
    }
  }
  const waiting = await attempt(() => inflateSync(bytes, compression, bytesMax))
  const pooled = await attempt(() => inflate(bytes, compression, bytesMax))
  expect(pooled.error?.message).toBe(waiting.error?.message)
  expect(pooled.bytes).toEqual(waiting.bytes)
  if (pooled.bytes === undefined) throw pooled.error
  return pooled.bytes
}

const failure = async (bytes: Uint8Array, compression: 'gzip' | 'zstd', bytesMax = BYTES_MAX) =>
  await inflated(bytes, compression, bytesMax).then(
    () => undefined,
    (error: Error) => error
  )

describe.each(['gzip', 'zstd'] as const)('inflating %s', (compression) => {
  it.each([0, 1, 16_383, 16_384, 16_385, MIB, 3 * MIB + 1])(
    'gives back %i bytes, of few kinds and of many',
    async (byteCount) => {
      for (const plain of [Buffer.alloc(byteCount, 7), randomBytes(byteCount)]) {
        expect(plain.equals(await inflated(compress[compression](plain), compression))).toBe(true)
      }
    }
  )

  it('stops at the limit, by one byte, also where one part ends at it', async () => {
    const plain = randomBytes(20_000)
    const whole = compress[compression](plain)
    const parts = Buffer.concat([
      compress[compression](plain.subarray(0, 9_000)),
      compress[compression](plain.subarray(9_000)),
      compress[compression](Buffer.alloc(0))
    ])
    for (const bytes of [whole, parts]) {
      expect(plain.equals(await inflated(bytes, compression, 20_000))).toBe(true)
      for (const bytesMax of [19_999, 9_000, 1]) {
        expect(isTooLarge(await failure(bytes, compression, bytesMax))).toBe(true)
      }
    }
  })

  it('takes nothing that is not whole, wherever it is cut', async () => {
    const bytes = compress[compression](Buffer.from('one two three '.repeat(20)))
    for (let end = 0; end < bytes.length; end++) {
      const error = await failure(bytes.subarray(0, end), compression)
      expect(error, `cut at ${end}`).toBeInstanceOf(Error)
      expect(isTooLarge(error)).toBe(false)
    }
  })
})

describe('the frames of zstd', () => {
  const frame = zstdCompressSync(Buffer.from('frame '))
  const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

  it('are read one after the other, and those without meaning are not', async () => {
    const bytes = Buffer.concat([skippable, frame, skippable, frame, frame, skippable])
    expect(String(await inflated(bytes, 'zstd'))).toBe('frame frame frame ')
  })

  it('may have a checksum, which is looked at', async () => {
    const plain = Buffer.from(randomBytes(500).toString('hex'))
    const bytes = zstdWith(plain, zlibConstants.ZSTD_c_checksumFlag, 1)
    expect(plain.equals(await inflated(bytes, 'zstd'))).toBe(true)
    bytes[bytes.length - 1]! ^= 1
    expect((await failure(bytes, 'zstd'))?.message).toMatch(/checksum/)
  })

  it('are whole and nothing else, or it is said at which byte not', async () => {
    const cases: [Uint8Array, RegExp][] = [
      [Buffer.from('no frame'), /no frame begins at byte 0$/],
      [gzipSync('zstd'), /no frame begins at byte 0$/],
      [Buffer.alloc(0), /there is no frame/],
      [skippable, /there is no frame/],
      [Buffer.concat([frame, Buffer.from('tail')]), /no frame begins at byte 15$/],
      [Buffer.concat([frame, frame.subarray(0, 3)]), /no frame begins at byte 15$/],
      [Buffer.concat([frame, frame.subarray(0, -1)]), /frame at byte 15 ends early/],
      [Buffer.concat([frame, skippable.subarray(0, -1)]), /frame at byte 15 ends early/],
      [Buffer.concat([frame, skippable.subarray(0, 6)]), /frame at byte 15 ends early/],
      [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 7, 0, 0), /no block begins at byte 6/],
      [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x28, 1, 1, 0, 0), /[Uu]nsupported/]
    ]
    expect(frame.length).toBe(15)
    for (const [bytes, says] of cases) {
      expect((await failure(bytes, 'zstd'))?.message).toMatch(says)
    }
  })

  it('are so many at most', async () => {
    const bytes = Buffer.concat(Array.from({ length: FRAMES_MAX }, () => frame))
    expect((await inflated(bytes, 'zstd')).length).toBe(FRAMES_MAX * 'frame '.length)
    const more = Buffer.concat([bytes, frame])
    expect((await failure(more, 'zstd'))?.message).toBe(`more than ${FRAMES_MAX} frames`)
  })

  it('want no more memory than so much, whatever they announce', async () => {
    // With a length that is not known beforehand the window is announced as it is set.
    const announcing = async (windowLog: number) => {
      const encoder = createZstdCompress({
        params: { [zlibConstants.ZSTD_c_windowLog]: windowLog }
      })
      encoder.write('a')
      encoder.flush(() => encoder.end('b'))
      return Buffer.from(await text(encoder.setEncoding('latin1')), 'latin1')
    }
    expect(String(await inflated(await announcing(ZSTD_WINDOW_LOG_MAX), 'zstd'))).toBe('ab')
    const more = await announcing(ZSTD_WINDOW_LOG_MAX + 1)
    expect((await failure(more, 'zstd'))?.message).toMatch(/memory/)
  })
})
