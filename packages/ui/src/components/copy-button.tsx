import { useEffect, useState } from 'react'
import { Icon } from './icons.tsx'

const CONFIRM_MS = 1_400

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = window.setTimeout(() => setCopied(false), CONFIRM_MS)
    return () => window.clearTimeout(timer)
  }, [isCopied])
  return (
    <button
      type="button"
      className="icon-button"
      title={label}
      aria-label={isCopied ? 'Copied' : label}
      onClick={(event) => {
        event.stopPropagation()
        copyText(text).then(setCopied)
      }}
    >
      <Icon name={isCopied ? 'check' : 'copy'} />
    </button>
  )
}

/** The clipboard API exists on https and localhost only; a collector is often neither. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'off-screen'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}
