import { Fragment, type ReactNode } from 'react'
import { exactly } from '../words.ts'
import { sopClassName } from './dicom-names.ts'

/** UIDs, and times as the node writes them into its sentences. */
const marks = /(\b\d+(?:\.\d+){5,}\b|\b2\.25\.\d{6,}\b|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/

/**
 * A sentence of the node, with names in the place of UIDs, and times in the reader's zone.
 * @param nameOf what a UID is called here; null where it has no name: its end then stands for it, the whole to hover over
 */
export function Sentence({ text, nameOf }: { text: string; nameOf?: (uid: string) => string | null }) {
  return text.split(marks).map((part, index): ReactNode => {
    // Every second part is a mark.
    if (index % 2 === 0) return part
    if (part.endsWith('Z'))
      return (
        // biome-ignore lint/suspicious/noArrayIndexKey: a sentence never changes
        <time key={index} dateTime={part}>
          {exactly(part)}
        </time>
      )
    const name = nameOf?.(part) ?? sopClassName(part)
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: a sentence never changes
      <Fragment key={index}>
        <span title={part}>{name === null ? `…${part.slice(-8)}` : name}</span>
      </Fragment>
    )
  })
}
