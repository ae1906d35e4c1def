/**
 * What most tests of real apps need: a sink, and apps that report to it. Called where hooks are, at the top of
 * a file or in a `describe`: each test finds the sink listening and empty, and leaves no app behind.
 */
import { afterEach, beforeEach } from 'vitest'
import { App, type AppOptions, REGISTER } from './child.ts'
import { OtlpSink } from './otlp-sink.ts'

export interface TracedApps {
  readonly sink: OtlpSink
  /** With the tracer by `--import`, where `nodeArgs` do not say otherwise. */
  start(file: string, options?: AppOptions): App
}

/** `folder` is where the apps are, when they are not those beside this file. */
export function tracedApps(folder = ''): TracedApps {
  const sink = new OtlpSink()
  const apps: App[] = []
  beforeEach(async () => {
    sink.forget()
    await sink.listen()
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.stop()))
    await sink.close()
  })
  return {
    sink,
    start(file, options = {}) {
      const app = new App(`${folder}${file}`, {
        nodeArgs: ['--import', REGISTER],
        ...options,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...options.env }
      })
      apps.push(app)
      return app
    }
  }
}
