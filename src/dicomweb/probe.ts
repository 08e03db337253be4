import { lookup } from 'node:dns/promises'
import { connect as connectTCP, isIP } from 'node:net'
import { connect as connectTLS, type PeerCertificate } from 'node:tls'
import { Agent, request } from 'undici'
import { messageOf } from '../errors.ts'
import { type Certificate, certificateOf, daysUntil } from './certificate.ts'
import type { DicomwebServerOptions, TlsOptions } from './client.ts'
import { authorization } from './client.ts'

export type ProbeOutcome = 'passed' | 'failed' | 'warning' | 'skipped'

/** One step of a test, for a person. */
export interface ProbeStep {
  step: 'address' | 'connection' | 'tls' | 'answer' | 'access' | 'search' | 'store'
  title: string
  outcome: ProbeOutcome
  /** Milliseconds. */
  ms: number
  /** What was seen. */
  sentence: string
  /** What may be done about it. */
  advice: string | null
}

/** What a test of a DICOMweb service came to. */
export interface Probe {
  ok: boolean
  steps: ProbeStep[]
  /** What the service showed; null without TLS. */
  certificate: Certificate | null
}

type Finding = Pick<ProbeStep, 'outcome' | 'sentence'> & { advice?: string }

const titles = {
  address: 'Address',
  connection: 'Connection',
  tls: 'Certificate',
  answer: 'Answer',
  access: 'Access',
  search: 'Search (QIDO-RS)',
  store: 'Store (STOW-RS)',
} as const
const stepLimitMs = 10_000
/** Certificates that expire sooner are worth a warning. */
const soonDays = 30

/**
 * Tries a DICOMweb service step by step, and explains each. Nothing is stored: the request to store has no instance in it.
 * What a step cannot find out because of an earlier one is skipped.
 */
export async function probeService(options: DicomwebServerOptions): Promise<Probe> {
  const probe: Probe = { ok: true, steps: [], certificate: null }
  const url = new URL(options.url)
  const secure = url.protocol === 'https:'
  const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (secure ? 443 : 80)) }
  const take = async (step: ProbeStep['step'], look: () => Promise<Finding>): Promise<boolean> => {
    const begun = performance.now()
    // Who cannot be searched may take things all the same.
    const wanted = probe.ok || (step === 'store' && probe.steps.at(-1)?.outcome === 'failed')
    const {
      outcome,
      sentence,
      advice = null,
    } = wanted ? await look() : { outcome: 'skipped' as const, sentence: 'not tried' }
    const ms = Math.round(performance.now() - begun)
    probe.steps.push({ step, title: titles[step], outcome, ms, sentence, advice })
    if (outcome === 'failed') probe.ok = false
    return outcome !== 'failed'
  }
  await take('address', () => findAddress(place.host))
  await take('connection', () => tryConnection(place))
  if (secure) await take('tls', () => tryTLS(place, options.tls ?? {}, probe))
  await tryHTTP(options, take)
  return probe
}

async function findAddress(host: string): Promise<Finding> {
  if (isIP(host)) return { outcome: 'passed', sentence: `${host} is an address: there is nothing to look up` }
  try {
    const found = await lookup(host, { all: true })
    return { outcome: 'passed', sentence: `${host} is ${found.map(({ address }) => address).join(', ')}` }
  } catch (error) {
    return {
      outcome: 'failed',
      sentence: `no address is known for ${host} (${codeOf(error)})`,
      advice: 'Is the name spelt right, and does the node’s name server know it?',
    }
  }
}

function tryConnection({ host, port }: { host: string; port: number }): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connectTCP({ host, port, timeout: stepLimitMs })
    const end = (finding: Finding) => {
      socket.destroy()
      resolve(finding)
    }
    socket.once('connect', () => end({ outcome: 'passed', sentence: `port ${port} accepts connections` }))
    socket.once('timeout', () =>
      end({
        outcome: 'failed',
        sentence: `port ${port} does not answer within ${stepLimitMs / 1000} s`,
        advice: 'A firewall may drop what the node sends: has it to let the node through?',
      }),
    )
    socket.once('error', (error) =>
      end({
        outcome: 'failed',
        sentence: `port ${port} cannot be connected to (${codeOf(error)})`,
        advice:
          codeOf(error) === 'ECONNREFUSED'
            ? 'Nothing listens on this port: is it the right one, and does the service run?'
            : 'Is the host reachable from the node?',
      }),
    )
  })
}

function tryTLS(
  { host, port }: { host: string; port: number },
  { ca, cert, key, rejectUnauthorized = true }: TlsOptions,
  probe: Probe,
): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connectTLS({
      host,
      port,
      timeout: stepLimitMs,
      rejectUnauthorized: false,
      ...(isIP(host) ? {} : { servername: host }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    const end = (finding: Finding) => {
      socket.destroy()
      resolve(finding)
    }
    socket.once('secureConnect', () => {
      const peer: PeerCertificate = socket.getPeerCertificate()
      probe.certificate = certificateOf(peer)
      const problem = socket.authorized ? null : String(socket.authorizationError)
      end(judgeTLS(probe.certificate, { problem, rejectUnauthorized, protocol: socket.getProtocol() ?? 'TLS' }))
    })
    socket.once('timeout', () =>
      end({ outcome: 'failed', sentence: 'the handshake does not end', advice: 'Does TLS listen on this port?' }),
    )
    socket.once('error', (error) =>
      end({
        outcome: 'failed',
        sentence: `the handshake fails (${codeOf(error)})`,
        advice: 'Does TLS listen on this port, and does it ask for a client certificate that the node does not have?',
      }),
    )
  })
}

function judgeTLS(
  certificate: Certificate | null,
  { problem, rejectUnauthorized, protocol }: { problem: string | null; rejectUnauthorized: boolean; protocol: string },
): Finding {
  const shown = certificate
    ? `${certificate.subject}, issued by ${certificate.issuer}, valid until ${certificate.validTo.slice(0, 10)}`
    : 'none'
  if (problem !== null) {
    const sentence = `the certificate (${shown}) is not accepted: ${explainTLS(problem)}`
    if (!rejectUnauthorized)
      return {
        outcome: 'warning',
        sentence,
        advice: 'It is used all the same, because rejectUnauthorized is off: for tests only.',
      }
    return { outcome: 'failed', sentence, advice: adviceTLS(problem) }
  }
  const days = certificate ? daysUntil(certificate.validTo) : Number.POSITIVE_INFINITY
  if (days < soonDays)
    return {
      outcome: 'warning',
      sentence: `${protocol}; the certificate expires in ${days} days: ${shown}`,
      advice: 'Have it renewed.',
    }
  return { outcome: 'passed', sentence: `${protocol}; ${shown}` }
}

function explainTLS(code: string): string {
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) return 'its issuer is not trusted here'
  if (/EXPIRED/.test(code)) return 'it has expired'
  if (/ALTNAME/.test(code)) return 'it is for another host'
  return code
}

function adviceTLS(code: string): string {
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code))
    return 'Give the destination the PEM text of the authority that issued it.'
  if (/EXPIRED/.test(code)) return 'Have it renewed there; deliveries fail until then.'
  if (/ALTNAME/.test(code)) return 'Use the name that the certificate is for in the URL.'
  return 'Ask who runs the service.'
}

async function tryHTTP(
  options: DicomwebServerOptions,
  take: (step: ProbeStep['step'], look: () => Promise<Finding>) => Promise<boolean>,
): Promise<void> {
  const root = options.url.replace(/\/+$/, '')
  const agent = new Agent({
    connect: { timeout: stepLimitMs, ...options.tls },
    headersTimeout: stepLimitMs,
    bodyTimeout: stepLimitMs,
  })
  const headers = { ...options.headers, ...authorization(options.auth) }
  const ask = async (method: 'GET' | 'POST', more: Record<string, string>, body?: string) => {
    const answer = await request(`${root}/studies${method === 'GET' ? '?limit=1' : ''}`, {
      method,
      dispatcher: agent,
      headers: { ...headers, ...more },
      ...(body === undefined ? {} : { body }),
    })
    const text = await beginningOf(answer.body)
    return { status: answer.statusCode, type: String(answer.headers['content-type'] ?? ''), text }
  }
  let search: Awaited<ReturnType<typeof ask>> | null = null
  try {
    await take('answer', async () => {
      try {
        search = await ask('GET', { accept: 'application/dicom+json' })
        return { outcome: 'passed', sentence: `HTTP ${search.status}` }
      } catch (error) {
        return {
          outcome: 'failed',
          sentence: `no HTTP answer comes: ${messageOf(error)}`,
          advice: 'Does HTTP listen on this port, with or without TLS as in the URL?',
        }
      }
    })
    await take('access', async () => judgeAccess(search?.status ?? 0, options))
    await take('search', async () => judgeSearch(search))
    await take('store', async () => {
      const boundary = 'hilum-asks-whether-it-may-store'
      try {
        const type = `multipart/related; type="application/dicom"; boundary=${boundary}`
        const { status } = await ask(
          'POST',
          { 'content-type': type, accept: 'application/dicom+json' },
          `--${boundary}--\r\n`,
        )
        return judgeStore(status)
      } catch (error) {
        return { outcome: 'failed', sentence: `a request to store gets no answer: ${messageOf(error)}` }
      }
    })
  } finally {
    await agent.close()
  }
}

/** What a service answers is not to be trusted with memory. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > 1_000_000) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function judgeAccess(status: number, { auth }: DicomwebServerOptions): Finding {
  const as =
    auth === undefined || auth.kind === 'none'
      ? 'without credentials'
      : `with the ${auth.kind === 'basic' ? 'user name and password' : 'token'}`
  if (status === 401)
    return {
      outcome: 'failed',
      sentence: `HTTP 401 ${as}`,
      advice: 'Are the credentials right, and of the kind that the service asks for?',
    }
  if (status === 403)
    return {
      outcome: 'failed',
      sentence: `HTTP 403 ${as}`,
      advice: 'The service knows the node and does not let it in: has somebody to permit it there?',
    }
  if (status === 407)
    return {
      outcome: 'failed',
      sentence: 'a proxy asks for credentials (HTTP 407)',
      advice: 'The node uses no proxy: is the URL right?',
    }
  return { outcome: 'passed', sentence: `let in ${as}` }
}

function judgeSearch(answer: { status: number; type: string; text: string } | null): Finding {
  const status = answer?.status ?? 0
  if (status === 204) return { outcome: 'passed', sentence: 'studies can be searched; none is listed' }
  if (status === 404)
    return {
      outcome: 'failed',
      sentence: 'HTTP 404: there are no studies at this address',
      advice: 'Is this the root of the DICOMweb service, as in https://pacs.example/dicom-web?',
    }
  if (status >= 300 && status < 400)
    return {
      outcome: 'failed',
      sentence: `HTTP ${status}: the service sends callers elsewhere`,
      advice: 'Give the address that it sends them to.',
    }
  if (status !== 200)
    return {
      outcome: 'failed',
      sentence: `HTTP ${status}`,
      advice: 'Proof of delivery needs QIDO-RS: look into the service’s own log.',
    }
  try {
    const listed: unknown = JSON.parse(answer?.text ?? '')
    if (Array.isArray(listed))
      return {
        outcome: 'passed',
        sentence: listed.length > 0 ? 'studies can be searched' : 'studies can be searched; none is listed',
      }
  } catch {
    // Said below.
  }
  return {
    outcome: 'failed',
    sentence: `the answer is ${answer?.type || 'of no type'}, and no DICOM JSON`,
    advice: 'Is this the root of the DICOMweb service, and not its page?',
  }
}

/** A request to store that has no instance in it: whoever stores finds it empty, whoever does not says so. */
function judgeStore(status: number): Finding {
  if (status === 401 || status === 403)
    return {
      outcome: 'failed',
      sentence: `HTTP ${status}: the node may search and not store`,
      advice: 'Has somebody to permit it there?',
    }
  if (status === 404 || status === 405 || status === 501)
    return {
      outcome: 'failed',
      sentence: `HTTP ${status}: the service takes nothing here`,
      advice: 'Is STOW-RS switched on, and at the same address as QIDO-RS?',
    }
  if (status >= 500)
    return {
      outcome: 'warning',
      sentence: `HTTP ${status} to a request without an instance`,
      advice: 'Some services answer so to what is empty; the first delivery will tell.',
    }
  return { outcome: 'passed', sentence: `requests to store are taken (HTTP ${status} to one without an instance)` }
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : messageOf(error)
}
