/** Points of one payload of metrics that are read; those beyond are refused. Tracers send 256. */
export const POINTS_MAX = 50_000
