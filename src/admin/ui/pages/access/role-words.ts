import type { Role } from '../../../permissions.ts'

/** Each role with what it is for. */
export const roleWords: Readonly<Record<Role, { name: string; text: string }>> = {
  viewer: { name: 'Viewer', text: 'sees studies, results and what the node does' },
  radiologist: { name: 'Radiologist', text: 'sees, and accepts, rejects or corrects results' },
  operator: { name: 'Operator', text: 'runs the day: queue, quarantine, acts on studies, tests, drafts of routes' },
  administrator: { name: 'Administrator', text: 'everything: routes in force, destinations, users, tokens, audit' },
}

export const roleNames = Object.keys(roleWords) as Role[]
