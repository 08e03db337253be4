import { addressesOf } from './addresses.ts'
import { type Composed, compose } from './compose.ts'
import { sendMail } from './mail.ts'
import { sample } from './placeholders.ts'
import { type EmailTarget, SendError, type Stage, type WebhookTarget } from './target.ts'
import { postWebhook } from './webhook.ts'

/** A step of a test, as people read it. */
export interface ProbeStep {
  step: Stage
  title: string
  outcome: 'passed' | 'failed' | 'warning' | 'skipped'
  ms: number
  /** What was seen. */
  sentence: string
  /** What may be done about it. */
  advice: string | null
}

const titles: Readonly<Record<Stage, string>> = {
  address: 'Address',
  connection: 'Connection',
  tls: 'Encryption',
  login: 'Login',
  message: 'Message',
}

const advice: Readonly<Record<Stage, string>> = {
  address: 'Look at the name of the host; notify.allowLocal permits addresses of this machine.',
  connection: 'Is the port right, and does a firewall let the node through?',
  tls: 'Does the certificate name this host, and is its authority trusted? A PEM text in ca trusts another. Is the kind of encryption right for the port?',
  login: 'Look at the user name and the password.',
  message: 'The other side says why: look at its address, its rights, and at the signature’s secret.',
}

/** Sends a test message without anything of a patient, and says step by step how that went. */
export async function probeTarget(
  target: WebhookTarget | EmailTarget,
  {
    allowLocal,
    node,
    publicUrl,
    id,
    now,
  }: { allowLocal: boolean; node: string; publicUrl: string; id: string; now: Date },
): Promise<ProbeStep[]> {
  const stages = stagesOf(target)
  const steps: ProbeStep[] = []
  let began = performance.now()
  const add = (step: Stage, outcome: ProbeStep['outcome'], sentence: string) => {
    const ms = outcome === 'skipped' ? 0 : Math.round(performance.now() - began)
    steps.push({ step, title: titles[step], outcome, ms, sentence, advice: outcome === 'failed' ? advice[step] : null })
    began = performance.now()
  }
  try {
    const host = target.kind === 'webhook' ? new URL(target.url).hostname : target.host
    const found = await addressesOf(host, { allowLocal: target.kind === 'email' || allowLocal })
    add('address', 'passed', found.map(({ address }) => address).join(', '))
    const composed = testMessage({ id, node, publicUrl, now })
    const answer =
      target.kind === 'email'
        ? await sendMail(target, { ...composed, id, urgent: false })
        : await postWebhook(target, { id, event: 'test', json: composed.json }, { allowLocal, now })
    for (const stage of stages.slice(1, -1)) add(stage, ...seenOf(target, stage))
    add('message', 'passed', answer)
  } catch (error) {
    if (!(error instanceof SendError)) throw error
    const at = stages.includes(error.stage) ? error.stage : 'message'
    for (const stage of stages.slice(steps.length, stages.indexOf(at))) add(stage, ...seenOf(target, stage))
    add(at, 'failed', error.message)
    for (const stage of stages.slice(steps.length)) add(stage, 'skipped', 'not tried')
  }
  return steps
}

function stagesOf(target: WebhookTarget | EmailTarget): Stage[] {
  const isPlain = target.kind === 'email' ? target.security === 'none' : new URL(target.url).protocol === 'http:'
  const hasLogin = target.kind === 'email' && target.username !== null
  return [
    'address',
    'connection',
    ...(isPlain ? [] : ['tls' as const]),
    ...(hasLogin ? ['login' as const] : []),
    'message',
  ]
}

function seenOf(target: WebhookTarget | EmailTarget, stage: Stage): ['passed' | 'warning', string] {
  if (stage === 'connection') {
    const isPlain = target.kind === 'email' ? target.security === 'none' : new URL(target.url).protocol === 'http:'
    return isPlain ? ['warning', 'it answers; what is sent is not encrypted'] : ['passed', 'it answers']
  }
  if (stage === 'tls')
    return target.rejectUnauthorized
      ? ['passed', 'the certificate is trusted']
      : ['warning', 'encrypted, but any certificate would be accepted']
  return ['passed', 'the login is accepted']
}

function testMessage({
  id,
  node,
  publicUrl,
  now,
}: {
  id: string
  node: string
  publicUrl: string
  now: Date
}): Composed {
  const sentence = 'this is a test: notifications arrive here'
  const told = {
    ...sample,
    event: 'report',
    at: now.toISOString(),
    urgent: false,
    detail: { sentence },
    study: null,
  } as const
  const composed = compose(told, null, id, { phi: false, node, publicUrl })
  const text = `${sentence}\n\n${node}, ${told.at}\n`
  return { ...composed, text, json: JSON.stringify({ id, event: 'test', at: told.at, node, sentence, text }) }
}
