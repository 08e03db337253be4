import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { Copyable } from '../../parts/copyable.tsx'

/** A secret that is shown this once. */
export function SecretDialog(props: {
  title: string
  label: string
  secret: string
  children: ReactNode
  onClose(): void
}) {
  const { title, label, secret, children, onClose } = props
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <div>{children}</div>
        <div className="access-secret">
          <Copyable value={secret} label={label} />
        </div>
        <Group justify="flex-end">
          <Button onClick={onClose} data-autofocus>
            I have it
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
