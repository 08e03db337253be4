import { Button } from '@mantine/core'
import { IconChartBar, IconDownload, IconTable } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'

export interface FigureTable {
  head: string[]
  rows: (string | number)[][]
}

/** A picture with its numbers behind it: as a table here, and as CSV. */
export function Figure(props: {
  title: string
  /** What it says, in one sentence: for those who do not see it. */
  says: string
  table: FigureTable
  /** Address of the CSV. */
  csv?: string | undefined
  note?: ReactNode
  children: ReactNode
}) {
  const { title, says, table, csv, note, children } = props
  const [isTable, setTable] = useState(false)
  return (
    <section className="panel insights-figure" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        <span className="page-actions">
          <Button
            size="compact-sm"
            variant="subtle"
            aria-label={`${title}: ${isTable ? 'picture' : 'table'}`}
            leftSection={isTable ? <IconChartBar size={15} aria-hidden /> : <IconTable size={15} aria-hidden />}
            onClick={() => setTable(!isTable)}
          >
            {isTable ? 'Picture' : 'Table'}
          </Button>
          {csv && (
            <Button
              component="a"
              href={csv}
              download
              size="compact-sm"
              variant="subtle"
              aria-label={`${title}: CSV`}
              leftSection={<IconDownload size={15} aria-hidden />}
            >
              CSV
            </Button>
          )}
        </span>
      </div>
      {isTable ? <Numbers title={title} table={table} /> : <figure aria-label={says}>{children}</figure>}
      {note && <p className="insights-note">{note}</p>}
    </section>
  )
}

function Numbers({ title, table: { head, rows } }: { title: string; table: FigureTable }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
    <div className="insights-table" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            {head.map((one) => (
              <th key={one} scope="col">
                {one}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={String(row[0])}>
              {row.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns never change places
                <td key={index}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
