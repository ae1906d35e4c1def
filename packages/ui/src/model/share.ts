/**
 * Keeps what did not change. A refresh brings a whole new answer every two seconds, of which most
 * is as before; `shareParts` gives back the old objects wherever they are equal, so that memoised
 * rows see the same reference and are not drawn again.
 */
export function shareParts<Value>(before: Value, after: Value): Value {
  if (Object.is(before, after)) return before
  if (Array.isArray(before) && Array.isArray(after)) {
    let same = before.length === after.length
    const shared = after.map((item, index) => {
      const part = index < before.length ? shareParts(before[index], item) : item
      if (part !== before[index]) same = false
      return part
    })
    return same ? before : (shared as Value)
  }
  if (isRecord(before) && isRecord(after)) {
    const names = Object.keys(after)
    let same = names.length === Object.keys(before).length
    // From entries, because an attribute may be named `__proto__`.
    const shared = Object.fromEntries(
      names.map((name) => {
        const known = Object.hasOwn(before, name)
        const part = known ? shareParts(before[name], after[name]) : after[name]
        if (!known || part !== before[name]) same = false
        return [name, part]
      })
    )
    return same ? before : (shared as Value)
  }
  return after
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
