import { Button, Group } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react'
import { sentenceOf } from '../api/problem.ts'

/**
 * Says that something was done.
 * @param undo takes it back; given where that is possible
 */
export function toastDone(message: string, undo?: () => void): void {
  const id = `done-${Date.now()}-${Math.round(performance.now())}`
  notifications.show({
    id,
    icon: <IconCheck size={18} aria-hidden />,
    color: 'petrol',
    closeButtonProps: { 'aria-label': 'Close' },
    autoClose: undo ? 10_000 : 5000,
    message: undo ? (
      <Group justify="space-between" wrap="nowrap" gap="md">
        <span>{message}</span>
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => {
            notifications.hide(id)
            undo()
          }}
        >
          Undo
        </Button>
      </Group>
    ) : (
      message
    ),
  })
}

/** Says that something was not done, and why: stays until it is closed. */
export function toastFailed(what: string, error: unknown): void {
  notifications.show({
    title: what,
    message: sentenceOf(error),
    color: 'red.8',
    icon: <IconAlertTriangle size={18} aria-hidden />,
    autoClose: false,
    closeButtonProps: { 'aria-label': 'Close' },
  })
}
