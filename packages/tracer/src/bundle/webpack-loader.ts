/** The loader that `SpanloomPlugin` puts on every file of a package. */
import { footerFor } from './targets.ts'

export default function addFooter(this: { resourcePath: string }, source: string): string {
  return source + footerFor(this.resourcePath)
}
