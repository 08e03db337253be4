import { Button, Group, Modal, Text } from '@mantine/core'
import { createContext, type ReactNode, use, useCallback, useRef, useState } from 'react'

export interface ConfirmOptions {
  /** The question, naming what is acted on: `Delete the study of DOE, JANE?` */
  title: string
  /** What comes of it, and whether it can be undone. */
  text?: ReactNode
  /** The act as a verb, on the button: `Delete the study`. Never `OK`. */
  confirm: string
  /** Red: cannot be undone. */
  danger?: boolean
}

type Ask = (options: ConfirmOptions) => Promise<boolean>
const Confirming = createContext<Ask>(() => Promise.resolve(false))

/** Asks before something is done: `if (await confirm({ title, text, confirm: 'Delete the study', danger: true })) …`. */
export function useConfirm(): Ask {
  return use(Confirming)
}

/** Holds the one dialog of `useConfirm`. */
export function ConfirmProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<ConfirmOptions | null>(null)
  const [isOpen, setOpen] = useState(false)
  const answer = useRef<(yes: boolean) => void>(() => undefined)
  const ask = useCallback<Ask>(
    (options) =>
      new Promise((resolve) => {
        answer.current(false)
        answer.current = resolve
        setAsked(options)
        setOpen(true)
      }),
    [],
  )
  const close = (yes: boolean) => {
    setOpen(false)
    answer.current(yes)
  }
  return (
    <Confirming value={ask}>
      {children}
      <Modal
        opened={isOpen}
        onClose={() => close(false)}
        title={
          <Text component="span" fw={620}>
            {asked?.title}
          </Text>
        }
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {asked?.text && <div>{asked.text}</div>}
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => close(false)} data-autofocus={asked?.danger || undefined}>
            Cancel
          </Button>
          <Button
            color={asked?.danger ? 'red.8' : undefined}
            onClick={() => close(true)}
            data-autofocus={!asked?.danger || undefined}
          >
            {asked?.confirm}
          </Button>
        </Group>
      </Modal>
    </Confirming>
  )
}
