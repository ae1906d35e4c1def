/** What a payload holds, by the path it comes on. */
export type Signal = 'traces' | 'metrics' | 'logs'
