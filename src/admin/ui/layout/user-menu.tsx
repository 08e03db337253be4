import { ActionIcon, Menu } from '@mantine/core'
import { IconLogout, IconUser } from '@tabler/icons-react'
import { call } from '../api/call.ts'
import { useSession, useSetSession } from '../api/session.tsx'
import { toastFailed } from '../parts/toast.tsx'

/** Who is logged in, and the way out. */
export function UserMenu() {
  const session = useSession()
  const setSession = useSetSession()
  const logOut = () =>
    call('DELETE /session').then(
      ({ logoutUrl }) => {
        // Whoever came by a provider leaves there too.
        if (logoutUrl === null) setSession(null)
        else location.assign(logoutUrl)
      },
      (error: unknown) => toastFailed('You are still logged in', error),
    )
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`User ${session.name}`}>
          <IconUser size={19} stroke={1.7} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.name}
          {session.role && ` · ${session.role}`}
        </Menu.Label>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void logOut()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
