import { ActionIcon, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useState } from 'react'

/** A raw identifier, for where somebody needs it: shown in full, or as a name; a press copies it. */
export function Copyable({ value, label, name }: { value: string; label: string; name?: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await copyText(value)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <span className="copyable">
      <span className={name === undefined ? 'mono' : undefined} title={name === undefined ? undefined : value}>
        {name ?? value}
      </span>
      <Tooltip label={isCopied ? 'Copied' : `Copy the ${label}`}>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-label={isCopied ? 'Copied' : `Copy the ${label}`}
          onClick={() => void copy()}
        >
          {isCopied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        </ActionIcon>
      </Tooltip>
    </span>
  )
}

/** The clipboard of the browser exists over TLS only; hospitals' own networks often have none. */
async function copyText(value: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(value)
  const field = document.createElement('textarea')
  field.value = value
  field.className = 'sr-only'
  document.body.append(field)
  field.select()
  document.execCommand('copy')
  field.remove()
}
