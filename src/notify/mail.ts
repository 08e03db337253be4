import { createTransport } from 'nodemailer'
import { messageOf } from '../errors.ts'
import type { Composed } from './compose.ts'
import { type EmailTarget, SendError, type Stage } from './target.ts'

/**
 * Sends an e-mail.
 * @param id names the message: servers and readers may know it again by its Message-ID
 * @returns what the server said
 * @throws SendError
 */
export async function sendMail(
  target: EmailTarget,
  { id, subject, text, html, pictures, urgent }: Omit<Composed, 'json'> & { id: string; urgent: boolean },
): Promise<string> {
  const { host, port, security, username, password, from, to, ca, rejectUnauthorized, timeoutMs } = target
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(username !== null && { auth: { user: username, pass: password ?? '' } }),
    tls: { rejectUnauthorized, ...(ca !== null && { ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const { response, rejected } = await transport.sendMail({
      from,
      to: [...to],
      subject,
      text,
      messageId: `<${id}@${from.split('@')[1] ?? 'hilum'}>`,
      priority: urgent ? 'high' : 'normal',
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(html !== null && { html }),
      attachments: pictures.map(({ name, png }) => ({
        filename: `${name}.png`,
        content: Buffer.from(png, 'base64'),
        contentType: 'image/png',
        cid: name,
      })),
    })
    const some = rejected.length > 0 ? `; not taken for ${rejected.length} of ${to.length} addresses` : ''
    return `${response}${some}`.slice(0, 250)
  } catch (error) {
    throw refusedBy(error)
  } finally {
    transport.close()
  }
}

const stages: Readonly<Record<string, Stage>> = {
  EDNS: 'address',
  ENOTFOUND: 'address',
  ECONNECTION: 'connection',
  ECONNREFUSED: 'connection',
  ETIMEDOUT: 'connection',
  ESOCKET: 'connection',
  ETLS: 'tls',
  EREQUIRETLS: 'tls',
  EAUTH: 'login',
  ENOAUTH: 'login',
}

function refusedBy(error: unknown): SendError {
  const { code = '', responseCode } = error as { code?: string; responseCode?: number }
  const said = messageOf(error).replaceAll(/\s+/g, ' ').slice(0, 250)
  const ofTLS = /certificate|self.signed|TLS|SSL/i.test(said) && code !== 'EAUTH'
  const stage = ofTLS ? 'tls' : (stages[code] ?? 'message')
  // A mailbox that is not there will not be there in an hour; a login that is refused may be put right.
  const permanent = stage === 'message' && responseCode !== undefined && responseCode >= 500
  return new SendError(stage, said, { permanent, cause: error })
}
