export { SLOT_LENGTH_MAX, WireWriter } from './wire-writer.ts'
