/**
 * How a file should read, as far as a test can say: at most 400 lines, and above 80 an opening
 * comment. A file that is longer stands in `LONGER` with its length, and may only shrink.
 */
import type { SourceFile } from './source-tree.ts'

const LINES_MAX = 400
const LINES_WITHOUT_HEADER_MAX = 80

/** Path → lines it may have. Lower a number when its file shrinks; add none without a reason. */
const LONGER: Readonly<Record<string, number>> = {}

export function tidyViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    const max = LONGER[path] ?? LINES_MAX
    const found: string[] = []
    if (lines > max) found.push(`${path} has ${lines} lines, at most ${max}: is it two things?`)
    if (lines > LINES_WITHOUT_HEADER_MAX && !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)) {
      found.push(`${path} has ${lines} lines and no opening comment that says what it is for`)
    }
    return found
  })
}
