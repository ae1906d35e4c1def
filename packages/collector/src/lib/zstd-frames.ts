/**
 * Where the frames of a zstd stream begin and end (RFC 8878). A stream may have several, one after
 * the other, and the decoders of Node 22 and 24 stop after the first: without an error, like those
 * of Node 22 when a frame is cut off. So each frame is found and known to be whole before it is
 * inflated. Only lengths are read here; what is in the blocks, and the checksum, is the decoder's.
 *
 *   frame       magic 28 b5 2f fd │ descriptor u8 │ window 0…1 │ dictionary 0…4 │ size 0…8 │
 *               blocks … │ checksum 0…4
 *   descriptor  bits 0-1 dictionary's length, 2 checksum, 5 single segment: no window, 6-7 size's length
 *   block       u24: bit 0 last, 1-2 type, 3-23 size │ its bytes: 1 when a byte is repeated, else size
 *   skippable   magic 5x 2a 4d 18 │ length u32 │ so many bytes of no meaning
 *
 * Limit: FRAMES_MAX, because each costs a decoder of its own, and nine bytes are a frame. Encoders
 * write one, parallel ones one for some megabytes.
 */
export const FRAMES_MAX = 1_024

const MAGIC = 0xfd2f_b528
const SKIPPABLE_MAGIC = 0x184d_2a50
const MAGIC_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_BYTES = [0, 1, 2, 4] as const
const SIZE_BYTES = [0, 2, 4, 8] as const
const BLOCK_REPEATED = 1
const BLOCK_RESERVED = 3

/**
 * Views of `bytes`, one a frame, without those that are to be skipped.
 * @throws RangeError, with what is wrong at which byte.
 */
export function zstdFrames(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: Uint8Array[] = []
  for (let start = 0; start < bytes.length; ) {
    const magic = start + MAGIC_BYTES <= bytes.length ? view.getUint32(start, true) : 0
    const isSkippable = (magic & ~0xf) === SKIPPABLE_MAGIC
    if (magic !== MAGIC && !isSkippable) throw new RangeError(`no frame begins at byte ${start}`)
    const end = isSkippable ? endOfSkippable(view, start) : endOfFrame(view, start)
    if (end > bytes.length) throw new RangeError(`the frame at byte ${start} ends early`)
    if (!isSkippable) frames.push(bytes.subarray(start, end))
    if (frames.length > FRAMES_MAX) throw new RangeError(`more than ${FRAMES_MAX} frames`)
    start = end
  }
  if (frames.length === 0) throw new RangeError('there is no frame')
  return frames
}

/** Beyond the bytes there are when the frame ends early; so is `endOfFrame`. */
function endOfSkippable(view: DataView, start: number): number {
  const body = start + MAGIC_BYTES + 4
  return body > view.byteLength ? body : body + view.getUint32(start + MAGIC_BYTES, true)
}

function endOfFrame(view: DataView, start: number): number {
  const { byteLength } = view
  let at = start + MAGIC_BYTES
  if (at >= byteLength) return at + 1
  const descriptor = view.getUint8(at)
  at += 1 + headerFieldBytes(descriptor)
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER_BYTES > byteLength) return byteLength + 1
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const type = (header >> 1) & 3
    if (type === BLOCK_RESERVED) throw new RangeError(`no block begins at byte ${at}`)
    at += BLOCK_HEADER_BYTES + (type === BLOCK_REPEATED ? 1 : header >> 3)
    isLast = (header & 1) === 1
  }
  return at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES)
}

/** Window, dictionary and size of content. */
function headerFieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : SIZE_BYTES[sizeFlag]!
  return (isSingleSegment ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + sizeBytes
}
