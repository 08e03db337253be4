import { Button, Group, Skeleton, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowsSort, IconArrowUp, type TablerIcon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { number } from '../words.ts'
import { Empty, ProblemAlert } from './problem-alert.tsx'
import './data-table.css'

export interface Column<T> {
  /** Stable name: of the sorting, and for React. */
  key: string
  label: string
  render(row: T): ReactNode
  /** Numbers stand on the right. */
  align?: 'right'
  /** CSS width; the columns without one share what is left. */
  width?: string
  /** True: a press on the head sorts by it (the caller does, by `onSort`). */
  sortable?: boolean
  /** Without a label of its own in the cards of narrow places. */
  bare?: boolean
}

export interface Sorting {
  key: string
  descending: boolean
}

export interface Paging {
  /** How many there are on all pages. */
  total: number
  /** False where there are more than `total`, which were not counted. */
  totalIsExact?: boolean
  limit: number
  offset: number
  onOffset(offset: number): void
}

export interface DataTableProps<T> {
  /** What the table lists, for screen readers. */
  label: string
  columns: readonly Column<T>[]
  /** undefined while they are asked for. */
  rows: readonly T[] | undefined
  keyOf(row: T): string | number
  /** Where a row leads to: its first cell is then a link, and the whole row answers to the pointer. */
  hrefOf?(row: T): string
  /** What the row's link is called, where the first cell is no text. */
  linkLabel?(row: T): string
  error?: unknown
  onRetry?(): void
  empty: { title: string; text?: ReactNode; icon?: TablerIcon; action?: ReactNode }
  sorting?: Sorting
  onSort?(sorting: Sorting): void
  paging?: Paging
  /** True while newer rows are asked for: the old ones stay, a little paler. */
  stale?: boolean
  /** Rows of the skeleton, and their height in pixels. */
  expected?: { rows: number; height: number }
  /** Below a row, over its whole width: details that somebody opened. */
  detail?(row: T): ReactNode
}

/** A list: a table, and cards where it has less than 720 px. It may be sorted and paged by its caller. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rows, error, onRetry, empty, paging, stale = false } = props
  if (rows === undefined && error) return <ProblemAlert error={error} {...(onRetry ? { onRetry } : {})} />
  if (rows?.length === 0)
    return (
      <div className="panel">
        <Empty title={empty.title} {...(empty.icon ? { icon: empty.icon } : {})} action={empty.action}>
          {empty.text}
        </Empty>
      </div>
    )
  return (
    <div className={`panel table-panel${stale ? ' table-stale' : ''}`} aria-busy={rows === undefined || stale}>
      <table className="data-table">
        <caption className="sr-only">{label}</caption>
        <colgroup>
          {columns.map(({ key, width }) => (
            <col key={key} style={width === undefined ? {} : { width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined ? (
            <Waiting {...props} />
          ) : (
            rows.map((row) => <Row key={props.keyOf(row)} row={row} {...props} />)
          )}
        </tbody>
      </table>
      {paging && <Pager {...paging} />}
    </div>
  )
}

function Head<T>({ column, sorting, onSort }: DataTableProps<T> & { column: Column<T> }) {
  const { key, label, align, sortable } = column
  const isSorted = sorting?.key === key
  const order = isSorted ? (sorting.descending ? 'descending' : 'ascending') : undefined
  const Sign = order === undefined ? IconArrowsSort : order === 'descending' ? IconArrowDown : IconArrowUp
  return (
    <th scope="col" className={align === 'right' ? 'right' : undefined} aria-sort={order}>
      {sortable && onSort ? (
        <UnstyledButton
          className="sort"
          onClick={() => onSort({ key, descending: isSorted ? !sorting.descending : true })}
        >
          {label}
          <Sign size={13} aria-hidden className={isSorted ? 'sort-on' : 'sort-off'} />
        </UnstyledButton>
      ) : (
        label
      )}
    </th>
  )
}

function Row<T>({ row, columns, hrefOf, linkLabel, detail }: DataTableProps<T> & { row: T }) {
  const href = hrefOf?.(row)
  const below = detail?.(row)
  return (
    <>
      <tr className={href === undefined ? undefined : 'row-link'}>
        {columns.map((column, index) => (
          <td
            key={column.key}
            className={column.align === 'right' ? 'right' : undefined}
            data-label={column.bare ? undefined : column.label}
          >
            {index === 0 && href !== undefined ? (
              <Link href={href} className="row-target" aria-label={linkLabel?.(row)}>
                {column.render(row)}
              </Link>
            ) : (
              column.render(row)
            )}
          </td>
        ))}
      </tr>
      {below && (
        <tr className="row-detail">
          <td colSpan={columns.length}>{below}</td>
        </tr>
      )}
    </>
  )
}

function Waiting<T>({ columns, expected = { rows: 8, height: 28 } }: DataTableProps<T>) {
  return Array.from({ length: expected.rows }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they have nothing else, and never change places
    <tr key={row}>
      {columns.map(({ key }) => (
        <td key={key}>
          <Skeleton height={expected.height} radius="sm" />
        </td>
      ))}
    </tr>
  ))
}

function Pager({ total, totalIsExact = true, limit, offset, onOffset }: Paging) {
  const last = Math.min(offset + limit, total)
  return (
    <Group justify="space-between" className="pager" gap="sm">
      <span className="muted" role="status">
        {number(offset + 1)}–{number(last)} of {totalIsExact ? '' : 'more than '}
        {number(total)}
      </span>
      {(offset > 0 || total > limit) && (
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            disabled={offset === 0}
            onClick={() => onOffset(Math.max(0, offset - limit))}
          >
            Previous
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={offset + limit >= total && totalIsExact}
            onClick={() => onOffset(offset + limit)}
          >
            Next
          </Button>
        </Group>
      )}
    </Group>
  )
}
