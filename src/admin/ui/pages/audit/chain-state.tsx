import { Button, Skeleton } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import type { AnswerOf } from '../../api/call.ts'
import { useApi } from '../../api/use-api.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { number, plural } from '../../words.ts'

type Verification = AnswerOf<'GET /audit/verification'>

/** Whether the chain of hashes is whole. It is asked for by a press: the node reads every entry, and records that it was asked. */
export function ChainState() {
  const { data, error, isFetching, refetch } = useApi('GET /audit/verification', undefined, { enabled: false })
  return (
    <section className="panel audit-chain" aria-label="Whether the audit is whole" aria-busy={isFetching}>
      <div className="audit-chain-words">
        {error && <ProblemAlert error={error} title="Not verified" />}
        {data && <Verified verification={data} />}
        {!data && !error && isFetching && <Skeleton height={22} />}
        {!data && !error && !isFetching && (
          <span className="muted">Verifying reads every entry, and finds what was changed, removed or put in.</span>
        )}
      </div>
      <Button
        variant="default"
        size="sm"
        loading={isFetching}
        leftSection={<IconShieldCheck size={16} aria-hidden />}
        onClick={() => void refetch()}
      >
        Verify
      </Button>
    </section>
  )
}

function Verified({ verification: { entries, problems, sequence, hash, outlets } }: { verification: Verification }) {
  return (
    <div role="status">
      <StateBadge
        state={problems.length === 0 ? 'good' : 'failure'}
        label={problems.length === 0 ? 'The audit is whole' : plural(problems.length, 'problem')}
      />{' '}
      {plural(entries, 'entry', 'entries')} read; the last is no. {number(sequence)}
      <Copyable value={hash} label="hash of the last entry" name="" />
      {problems.length > 0 && (
        <ul>
          {problems.slice(0, 20).map(({ sequence: at, problem }) => (
            <li key={`${at} ${problem}`}>
              {at !== null && `No. ${number(at)}: `}
              {problem}
            </li>
          ))}
        </ul>
      )}
      {outlets.length > 0 && (
        <ul>
          {outlets.map(({ name, waiting, trouble }) => (
            <li key={name}>
              {name}: {trouble ?? (waiting === 0 ? 'has everything' : `${plural(waiting, 'entry', 'entries')} behind`)}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
