/** What this reader likes, kept in the browser: theme, live refresh, colours once given. */
import { assignSlots, type Slots, slotOf } from '../model/palette.ts'
import { createStore } from './store.ts'

export type Theme = 'auto' | 'light' | 'dark'

const THEME_KEY = 'spanloom.theme'
const LIVE_KEY = 'spanloom.live'
const SLOTS_KEY = 'spanloom.colours'

export const themeStore = createStore<Theme>(readTheme())
export const liveStore = createStore<boolean>(read(LIVE_KEY) !== 'off')

export function setTheme(theme: Theme): void {
  write(THEME_KEY, theme)
  document.documentElement.dataset.theme = theme
  themeStore.set(theme)
}

export function setLive(live: boolean): void {
  write(LIVE_KEY, live ? 'on' : 'off')
  liveStore.set(live)
}

let slots: Slots = readSlots()

/** A CSS colour, the same for the same name on every page. */
export function serviceColour(name: string): string {
  const known = assignSlots(slots, [name])
  if (known !== slots) rememberSlots(known)
  return `var(--svc-${slotOf(slots, name)})`
}

/** Gives colours to many services in one go, so that their order on a page decides nothing. */
export function learnServices(names: readonly string[]): void {
  const known = assignSlots(slots, names)
  if (known !== slots) rememberSlots(known)
}

function rememberSlots(known: Slots): void {
  slots = known
  write(SLOTS_KEY, JSON.stringify([...known]))
}

function readSlots(): Slots {
  try {
    const pairs: unknown = JSON.parse(read(SLOTS_KEY) ?? '[]')
    if (!Array.isArray(pairs)) return new Map()
    return new Map(
      pairs.filter(
        (pair): pair is [string, number] =>
          Array.isArray(pair) && typeof pair[0] === 'string' && Number.isInteger(pair[1])
      )
    )
  } catch {
    return new Map()
  }
}

function readTheme(): Theme {
  const theme = read(THEME_KEY)
  return theme === 'light' || theme === 'dark' ? theme : 'auto'
}

/** Storage may be forbidden (a private window, a policy): then nothing is remembered. */
function read(key: string): string | undefined {
  try {
    return window.localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value)
  } catch {
    // Remembered until the page is left, which is all that can be done.
  }
}
