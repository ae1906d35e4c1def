/**
 * The tracers as their own documentation starts them, every default on and every request recorded. Set are
 * the service's name and the address that spans go to, nothing else. `bare` is the app without any.
 */
import { fileURLToPath } from 'node:url'

export type Modules = 'commonjs' | 'esm'

export interface Tracer {
  readonly name: TracerName
  readonly execArgv: Readonly<Record<Modules, readonly string[]>>
  readonly env: (sinkUrl: string) => Readonly<Record<string, string>>
}

export const TRACER_NAMES = ['bare', 'own', 'dd', 'otel'] as const
export type TracerName = (typeof TRACER_NAMES)[number]

/** The bench is no workspace, so the built tracer is given by its file. */
const OWN = (file: string) =>
  fileURLToPath(new URL(`../../packages/tracer/dist/${file}`, import.meta.url))
const OTEL = '@opentelemetry/auto-instrumentations-node/register'

const SERVICE = 'bench'
const otlp = (sinkUrl: string) => ({
  OTEL_SERVICE_NAME: SERVICE,
  OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl
})

export const TRACERS: Readonly<Record<TracerName, Tracer>> = {
  bare: { name: 'bare', execArgv: { commonjs: [], esm: [] }, env: () => ({}) },
  own: {
    name: 'own',
    execArgv: {
      commonjs: ['--require', OWN('register.cjs')],
      esm: ['--import', OWN('register.js')]
    },
    env: otlp
  },
  dd: {
    name: 'dd',
    execArgv: {
      commonjs: ['--require', 'dd-trace/init'],
      esm: ['--import', 'dd-trace/initialize.mjs']
    },
    env: (sinkUrl) => ({ DD_SERVICE: SERVICE, DD_TRACE_AGENT_URL: sinkUrl })
  },
  otel: {
    name: 'otel',
    execArgv: {
      commonjs: ['--require', OTEL],
      // Without the loader the apps' imports of express, fastify and pg are not instrumented.
      esm: ['--experimental-loader', '@opentelemetry/instrumentation/hook.mjs', '--import', OTEL]
    },
    env: otlp
  }
}
