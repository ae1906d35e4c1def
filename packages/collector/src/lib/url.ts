/** Where to find what listens there. */
export function urlOf(host: string, port: number): string {
  // Where it listens on all addresses, this machine is one of them.
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
