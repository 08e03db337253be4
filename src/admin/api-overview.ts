import type { z } from 'zod'
import { overview } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

export type Overview = z.input<typeof overview>

export interface OverviewDeps {
  /** What the node does now, and did today; asked for often. */
  overview(): Promise<Overview>
}

/** The first page: what comes, runs, waits and has failed. */
export function overviewEndpoints(deps: OverviewDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/overview',
      summary: 'What arrives, runs, waits and has failed; today by quarters of an hour; destinations and processes',
      answer: overview,
      handle: () => deps.overview(),
    }),
  ]
}
