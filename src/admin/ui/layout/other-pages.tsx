import { Anchor, Skeleton } from '@mantine/core'
import { IconLock, IconMapQuestion } from '@tabler/icons-react'
import { Link } from 'wouter'
import { Page } from '../parts/page.tsx'
import { Empty } from '../parts/problem-alert.tsx'

/** While the program of a page is loaded. */
export function PageSkeleton() {
  return (
    <div className="page" aria-busy="true">
      <span className="sr-only" role="status">
        Loading
      </span>
      <Skeleton height={30} width={240} mb={28} />
      <Skeleton height={420} radius="lg" />
    </div>
  )
}

export function NotFound() {
  return (
    <Page title="No such page">
      <div className="panel">
        <Empty
          icon={IconMapQuestion}
          title="There is nothing at this address"
          action={
            <Anchor component={Link} href="/">
              To the overview
            </Anchor>
          }
        />
      </div>
    </Page>
  )
}

export function NotPermitted() {
  return (
    <Page title="Not for your role">
      <div className="panel">
        <Empty icon={IconLock} title="Your role does not include this page">
          An administrator can give you another role.
        </Empty>
      </div>
    </Page>
  )
}
