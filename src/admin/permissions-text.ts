import type { Need, Permission } from './permissions.ts'
import { addresses, operations, permissionNames, permissions, roles, rolesWith } from './permissions.ts'

/** docs/permissions.md: the table of permissions, in the words of people. */
export function permissionsText(): string {
  return `# Who may do what

From the table that the node enforces (\`src/admin/permissions.ts\`): \`hilum check --write-schemas\` writes this page anew. How people log in,
and how tokens are made, is in [security](security.md).

Roles are sets of permissions, not a ladder: an operator may not do what a radiologist may.

## Permissions

| permission | ${roles.join(' | ')} | to |
|---|${roles.map(() => ':-:|').join('')}---|
${permissionNames.map(permissionLine).join('\n')}

## Operations of the API

Below \`/api\`. *nobody in particular*: without a login; *whoever is logged in*: with any login or token, whatever it may do.

| operation | needs |
|---|---|
${Object.entries(operations).map(operationLine).join('\n')}

## Other addresses

| address | needs |
|---|---|
${Object.entries(addresses).map(operationLine).join('\n')}

\`/healthz\`, \`/readyz\`, the page's and the viewer's own files hold no data.
`
}

function permissionLine(name: Permission): string {
  const marks = roles.map((role) => (rolesWith(name).includes(role) ? 'x' : ' '))
  return `| \`${name}\` | ${marks.join(' | ')} | ${permissions[name][1]} |`
}

const words: Partial<Record<Need, string>> = { nothing: '*nobody in particular*', login: '*whoever is logged in*' }

function operationLine([operation, need]: [string, Need]): string {
  return `| \`${operation}\` | ${words[need] ?? `\`${need}\``} |`
}
