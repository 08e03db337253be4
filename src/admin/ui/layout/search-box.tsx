import { Kbd, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'

/** Finds studies from everywhere; the key `/` leads here. */
export function SearchBox() {
  const [text, setText] = useState('')
  const [, navigate] = useLocation()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement
      const isWriting = at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)
      if (event.key !== '/' || isWriting || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
  const search = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    navigate(text.trim() === '' ? '/studies' : `/studies?search=${encodeURIComponent(text.trim())}`)
  }
  return (
    <search className="search">
      <form onSubmit={search}>
        <TextInput
          ref={input}
          type="search"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          aria-label="Find a study"
          placeholder="Find a study by patient, ID or accession"
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={<Kbd aria-hidden>/</Kbd>}
          rightSectionPointerEvents="none"
        />
      </form>
    </search>
  )
}
