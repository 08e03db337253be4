import { Button, Checkbox, Group } from '@mantine/core'
import type { AnswerOf } from '../../api/call.ts'
import type { QuarantinedObject } from '../../api/schema.ts'
import { useAct } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import type { Column } from '../../parts/data-table.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'

/** The column that chooses objects for acts on several. */
export function chooser(
  chosen: readonly number[],
  onChosen: (ids: readonly number[]) => void,
): Column<QuarantinedObject> {
  return {
    key: 'choose',
    label: 'Choose',
    bare: true,
    width: '82px',
    render: ({ id }) => (
      <Checkbox
        aria-label={`Choose no. ${id}`}
        checked={chosen.includes(id)}
        onChange={(event) =>
          onChosen(event.currentTarget.checked ? [...chosen, id] : chosen.filter((other) => other !== id))
        }
      />
    ),
  }
}

/** What may be done about several objects at once. */
export function BulkActs({ ids, onDone }: { ids: readonly number[]; onDone(): void }) {
  const confirm = useConfirm()
  const told = (done: string) => (answer: AnswerOf<'POST /quarantine/discard'>) => {
    const refused = answer.results.filter(({ ok }) => !ok)
    if (answer.done > 0) toastDone(`${plural(answer.done, 'object')} ${answer.done === 1 ? 'is' : 'are'} ${done}.`)
    if (refused[0])
      toastFailed(`${plural(refused.length, 'object')} stayed in quarantine`, new Error(refused[0].sentence ?? ''))
    onDone()
  }
  const reingest = useAct('POST /quarantine/reingest', { onDone: told('taken in again') })
  const discard = useAct('POST /quarantine/discard', { onDone: told('discarded') })
  const failed = (error: unknown) => toastFailed('They stay in quarantine', error)
  const body = { ids: [...ids] }
  const remove = async () => {
    const isSure = await confirm({
      title: `Discard ${plural(ids.length, 'object')}?`,
      text: 'Their bytes are deleted for good; their entries stay in the list.',
      confirm: 'Discard them',
      danger: true,
    })
    if (isSure) discard.mutate({ body }, { onError: failed })
  }
  return (
    <Group gap={6}>
      <Button
        size="xs"
        variant="default"
        loading={reingest.isPending}
        onClick={() => reingest.mutate({ body }, { onError: failed })}
      >
        Take in {plural(ids.length, 'object')} again
      </Button>
      <Button size="xs" variant="default" loading={discard.isPending} onClick={() => void remove()}>
        Discard {plural(ids.length, 'object')}
      </Button>
    </Group>
  )
}
