import { type RefObject, useLayoutEffect, useRef, useState } from 'react'

/** The size of an element, as it changes. */
export function useSize<Target extends Element>(): {
  readonly ref: RefObject<Target | null>
  readonly width: number
  readonly height: number
} {
  const ref = useRef<Target>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null) return
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element
      setSize((before) =>
        before.width === width && before.height === height ? before : { width, height }
      )
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return { ref, ...size }
}
