/** The first version of Node that the tracer is made for: package.json's `engines`, which npm only warns of. */
export function isTooOld(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  return major < 22 || (major === 22 && minor < 15)
}
