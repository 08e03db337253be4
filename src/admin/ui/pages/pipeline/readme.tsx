import { Fragment, type ReactNode } from 'react'

/** A README as text: headings, paragraphs, lists, code. Links and markup are only ever text. */
export function Readme({ text }: { text: string }) {
  return <div className="readme">{blocksOf(text).map(showBlock)}</div>
}

type Block =
  | { kind: 'heading' | 'paragraph'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'list'; isNumbered: boolean; items: string[] }

function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let code: string[] | null = null
  let isOpen = false
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*```/.test(line)) {
      if (code) blocks.push({ kind: 'code', text: code.join('\n') })
      code = code ? null : []
      isOpen = false
      continue
    }
    if (code) {
      code.push(line)
      continue
    }
    const last = blocks.at(-1)
    const heading = /^#{1,6}\s+(.*)$/.exec(line)
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line)
    if (line.trim() === '') isOpen = false
    else if (heading) {
      blocks.push({ kind: 'heading', text: heading[1] ?? '' })
      isOpen = false
    } else if (item) {
      const isNumbered = item[1] !== undefined
      if (last?.kind === 'list' && last.isNumbered === isNumbered) last.items.push(item[2] ?? '')
      else blocks.push({ kind: 'list', isNumbered, items: [item[2] ?? ''] })
      isOpen = true
    } else if (isOpen && last?.kind === 'list') last.items.push(`${last.items.pop() ?? ''} ${line.trim()}`)
    else if (isOpen && last?.kind === 'paragraph') last.text += ` ${line.trim()}`
    else {
      blocks.push({ kind: 'paragraph', text: line.trim() })
      isOpen = true
    }
  }
  if (code) blocks.push({ kind: 'code', text: code.join('\n') })
  return blocks
}

function showBlock(block: Block, index: number): ReactNode {
  switch (block.kind) {
    case 'heading':
      return <h3 key={index}>{inline(block.text)}</h3>
    case 'code':
      return <pre key={index}>{block.text}</pre>
    case 'list': {
      const List = block.isNumbered ? 'ol' : 'ul'
      return (
        <List key={index}>
          {block.items.map((item, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes
            <li key={at}>{inline(item)}</li>
          ))}
        </List>
      )
    }
    case 'paragraph':
      return <p key={index}>{inline(block.text)}</p>
  }
}

/** `code` and **bold**; a link is its words. */
function inline(text: string): ReactNode {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]*\))/).map((part, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes
    if (part.startsWith('`') && part.length > 2) return <code key={index}>{part.slice(1, -1)}</code>
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes
    if (part.startsWith('**') && part.length > 4) return <b key={index}>{part.slice(2, -2)}</b>
    const link = /^\[([^\]]+)\]\(/.exec(part)
    // biome-ignore lint/suspicious/noArrayIndexKey: a text never changes
    return <Fragment key={index}>{link ? link[1] : part}</Fragment>
  })
}
