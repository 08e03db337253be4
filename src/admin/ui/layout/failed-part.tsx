import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { ProblemAlert } from '../parts/problem-alert.tsx'

/** Keeps a page's own mistake from taking the navigation away, and loads anew where the node was updated meanwhile. */
export class FailedPart extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    const isUpdated = error instanceof TypeError && /import|module/i.test(error.message)
    return (
      <div className="page">
        <ProblemAlert
          title={isUpdated ? 'The node was updated' : 'This page has failed'}
          error={isUpdated ? new Error('The page has to be loaded anew.') : error}
        />
        <Button mt="md" onClick={() => location.reload()}>
          Load the page anew
        </Button>
      </div>
    )
  }
}
