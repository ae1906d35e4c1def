/** The local journal with small limits, for tests of what stands on it. */
import type { Journal } from './journal/journal.ts'
import { createLocalJournal, type LocalJournalOptions } from './journal/local/local-journal.ts'

export function makeTestJournal(
  directory: string,
  options: Pick<LocalJournalOptions, 'bytesMax' | 'newId'>
): Journal {
  return createLocalJournal({ directory, segmentBytes: options.bytesMax, ...options })
}
