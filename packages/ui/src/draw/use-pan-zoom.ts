/**
 * Panning and zooming of an SVG: drag, wheel, pinch on a touchpad, keys. The transform goes straight
 * to the DOM, so moving the map draws no component. Until the reader moves it, the map is kept
 * fitted to its frame.
 */
import { type RefObject, useCallback, useEffect, useRef } from 'react'

const SCALE_MIN = 0.15
const SCALE_MAX = 2.5
/** A map of two nodes is not blown up to the size of the screen. */
const FIT_SCALE_MAX = 1.1
/** A press that moves less is a click. */
const DRAG_PIXELS_MIN = 4
const ZOOM_STEP = 1.25
const PAN_STEP = 60

interface Size {
  readonly width: number
  readonly height: number
}

export interface PanZoom {
  readonly frame: RefObject<SVGSVGElement | null>
  readonly content: RefObject<SVGGElement | null>
  readonly fit: () => void
  readonly zoomIn: () => void
  readonly zoomOut: () => void
}

export function usePanZoom(size: Size): PanZoom {
  const frame = useRef<SVGSVGElement>(null)
  const content = useRef<SVGGElement>(null)
  const view = useRef({ x: 0, y: 0, scale: 1, isMoved: false })
  const sizeNow = useRef(size)
  sizeNow.current = size

  const apply = useCallback(() => {
    const { x, y, scale } = view.current
    content.current?.setAttribute('transform', `translate(${x} ${y}) scale(${scale})`)
  }, [])

  const fit = useCallback(() => {
    const box = frame.current?.getBoundingClientRect()
    const { width, height } = sizeNow.current
    if (box === undefined || box.width === 0 || !(width > 0) || !(height > 0)) return
    const scale = Math.min(FIT_SCALE_MAX, box.width / width, box.height / height)
    const x = (box.width - width * scale) / 2
    const y = (box.height - height * scale) / 2
    view.current = { x, y, scale: Math.max(SCALE_MIN, scale), isMoved: false }
    apply()
  }, [apply])

  const zoomAt = useCallback(
    (factor: number, centreX: number, centreY: number) => {
      const { x, y, scale } = view.current
      const next = Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale * factor))
      view.current = {
        x: centreX - ((centreX - x) * next) / scale,
        y: centreY - ((centreY - y) * next) / scale,
        scale: next,
        isMoved: true
      }
      apply()
    },
    [apply]
  )

  const zoomMiddle = useCallback(
    (factor: number) => {
      const box = frame.current?.getBoundingClientRect()
      if (box !== undefined) zoomAt(factor, box.width / 2, box.height / 2)
    },
    [zoomAt]
  )

  // biome-ignore lint/correctness/useExhaustiveDependencies: a map of another size is fitted again
  useEffect(() => {
    if (!view.current.isMoved) fit()
  }, [size.width, size.height, fit])

  useEffect(() => {
    const svg = frame.current
    if (svg === null) return
    const panBy = (x: number, y: number) => {
      view.current = {
        ...view.current,
        x: view.current.x + x,
        y: view.current.y + y,
        isMoved: true
      }
      apply()
    }
    return listen(svg, { panBy, zoomAt, zoomMiddle, fit, isMoved: () => view.current.isMoved })
  }, [apply, fit, zoomAt, zoomMiddle])

  return {
    frame,
    content,
    fit,
    zoomIn: useCallback(() => zoomMiddle(ZOOM_STEP), [zoomMiddle]),
    zoomOut: useCallback(() => zoomMiddle(1 / ZOOM_STEP), [zoomMiddle])
  }
}

interface Moves {
  panBy(x: number, y: number): void
  zoomAt(factor: number, centreX: number, centreY: number): void
  zoomMiddle(factor: number): void
  fit(): void
  isMoved(): boolean
}

function listen(svg: SVGSVGElement, moves: Moves): () => void {
  let pressed: { id: number; x: number; y: number; isDrag: boolean } | undefined
  const onWheel = (event: WheelEvent) => {
    event.preventDefault()
    const box = svg.getBoundingClientRect()
    const lines = event.deltaMode === 1 ? 18 : 1
    const factor = Math.exp(-Math.max(-60, Math.min(60, event.deltaY * lines)) * 0.005)
    moves.zoomAt(factor, event.clientX - box.left, event.clientY - box.top)
  }
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return
    pressed = { id: event.pointerId, x: event.clientX, y: event.clientY, isDrag: false }
  }
  const onMove = (event: PointerEvent) => {
    if (pressed === undefined || event.pointerId !== pressed.id) return
    const x = event.clientX - pressed.x
    const y = event.clientY - pressed.y
    if (!pressed.isDrag && Math.hypot(x, y) < DRAG_PIXELS_MIN) return
    if (!pressed.isDrag) svg.setPointerCapture(event.pointerId)
    pressed = { id: event.pointerId, x: event.clientX, y: event.clientY, isDrag: true }
    svg.classList.add('is-dragged')
    moves.panBy(x, y)
  }
  const onUp = () => {
    pressed = undefined
    svg.classList.remove('is-dragged')
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const move = keyMoves(moves).get(event.key)
    if (move === undefined) return
    event.preventDefault()
    move()
  }
  const observer = new ResizeObserver(() => {
    if (!moves.isMoved()) moves.fit()
  })
  observer.observe(svg)
  svg.addEventListener('wheel', onWheel, { passive: false })
  svg.addEventListener('pointerdown', onDown)
  svg.addEventListener('pointermove', onMove)
  svg.addEventListener('pointerup', onUp)
  svg.addEventListener('pointercancel', onUp)
  svg.addEventListener('keydown', onKey)
  return () => {
    observer.disconnect()
    svg.removeEventListener('wheel', onWheel)
    svg.removeEventListener('pointerdown', onDown)
    svg.removeEventListener('pointermove', onMove)
    svg.removeEventListener('pointerup', onUp)
    svg.removeEventListener('pointercancel', onUp)
    svg.removeEventListener('keydown', onKey)
  }
}

function keyMoves(moves: Moves): ReadonlyMap<string, () => void> {
  return new Map([
    ['+', () => moves.zoomMiddle(ZOOM_STEP)],
    ['=', () => moves.zoomMiddle(ZOOM_STEP)],
    ['-', () => moves.zoomMiddle(1 / ZOOM_STEP)],
    ['0', () => moves.fit()],
    ['ArrowLeft', () => moves.panBy(PAN_STEP, 0)],
    ['ArrowRight', () => moves.panBy(-PAN_STEP, 0)],
    ['ArrowUp', () => moves.panBy(0, PAN_STEP)],
    ['ArrowDown', () => moves.panBy(0, -PAN_STEP)]
  ])
}
