import { Button, Checkbox, FileInput, Group, Modal, Stack, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import type { AnswerOf } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import { sendFile } from '../../api/send-file.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { plural } from '../../words.ts'

type Imported = AnswerOf<'POST /routes/import'>

/** Makes drafts of the routes of a YAML file; what is wrong with it is said by line. */
export function ImportDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [replace, setReplace] = useState(false)
  const take = useMutation<Imported, Problem>({
    mutationFn: () =>
      sendFile('POST /routes/import', { query: { replace: replace ? 'true' : 'false' } }, new Blob([text]), {
        contentType: 'application/yaml',
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['GET /routes'] }),
  })
  const done = take.data && take.data.problems.length === 0 ? take.data : null
  return (
    <Modal opened onClose={onClose} size="lg" title="Import routes" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        {done ? (
          <div role="status">
            {done.drafts.length === 0 ? (
              <p>Nothing differs from what is in force.</p>
            ) : (
              <>
                <p>{plural(done.drafts.length, 'draft is', 'drafts are')} made. Look at each, and put it in force.</p>
                <ul>
                  {done.drafts.map((name) => (
                    <li key={name}>
                      <Link href={`/routes/${name}`}>{name}</Link>
                    </li>
                  ))}
                </ul>
              </>
            )}
            {done.unchanged.length > 0 && (
              <p className="muted">As they are in force already: {done.unchanged.join(', ')}.</p>
            )}
          </div>
        ) : (
          <>
            <FileInput
              label="A YAML file"
              placeholder="Choose a file"
              accept=".yaml,.yml"
              onChange={(file) => void file?.text().then(setText)}
            />
            <Textarea
              label="Or its text"
              autosize
              minRows={8}
              maxRows={16}
              spellCheck={false}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              classNames={{ input: 'mono' }}
            />
            <Checkbox
              label="Replace drafts that are there"
              checked={replace}
              onChange={(event) => setReplace(event.currentTarget.checked)}
            />
            {take.data && (
              <div className="problem tone-bad" role="alert">
                <div className="problem-words">
                  <strong>Nothing was imported</strong>
                  <ul>
                    {take.data.problems.map(({ route, path, line, expectation }) => (
                      <li key={`${route} ${path} ${expectation}`}>
                        {line !== null && `Line ${line}: `}
                        {[route, path].filter(Boolean).join(', ')}: {expectation.split('\n')[0]}
                      </li>
                    ))}
                  </ul>
                </div>
              </div>
            )}
            {take.error && <ProblemAlert error={take.error} title="Nothing was imported" />}
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {done ? 'Close' : 'Cancel'}
          </Button>
          {!done && (
            <Button disabled={text.trim() === ''} loading={take.isPending} onClick={() => take.mutate()}>
              Make drafts
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}
