/** The built tracer, for apps that lie where `@spanloom/tracer` does not resolve to it. */
export const registerUrl: string = new URL('../../dist/register.js', import.meta.url).href
