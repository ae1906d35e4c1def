/**
 * The time, for what counts on by itself: a tick a second, one timer for the whole page. It stands still while
 * the page is hidden or paused, for what is not asked for again may have ended.
 */
import { useSyncExternalStore } from 'react'
import { liveStore } from './preferences.ts'

const TICK_MS = 1_000

const listeners = new Set<() => void>()
let now = Date.now()
let timer: number | undefined

export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    now = Date.now()
    timer = window.setInterval(tick, TICK_MS)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    window.clearInterval(timer)
    timer = undefined
  }
}

function tick(): void {
  if (document.hidden || !liveStore.get()) return
  now = Date.now()
  for (const listener of [...listeners]) listener()
}
