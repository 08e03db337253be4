import { randomBytes } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
import helmet from 'helmet'

const shared = {
  // Hospitals serve on plain HTTP inside their own network: rewriting to https would break every request there.
  // A proxy that ends TLS adds Strict-Transport-Security itself.
  strictTransportSecurity: false,
  xPoweredBy: true,
  referrerPolicy: { policy: 'same-origin' as const },
}

/** The nonce of each answer's policy: it lets the page's own style elements in, and no others. */
const nonces = new WeakMap<object, string>()

/** The nonce that stands in the policy of this answer. Known after `contentSecurity` has run. */
export function nonceOf(res: Response): string {
  return nonces.get(res) ?? ''
}

/** Our own pages and answers: nothing but this origin's files, nothing inline but styles with the nonce of the answer. */
const strict = helmet({
  ...shared,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", (_req, res) => `'nonce-${nonces.get(res) ?? ''}'`],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
})

/**
 * The viewer: OHIF compiles WebAssembly, evaluates generated shaders' glue, styles inline and runs workers from blobs. Still nothing
 * may be loaded from, or sent to, another origin.
 */
const viewer = helmet({
  ...shared,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", "'unsafe-inline'", "'unsafe-eval'", "'wasm-unsafe-eval'", 'blob:'],
      workerSrc: ["'self'", 'blob:'],
      styleSrc: ["'self'", "'unsafe-inline'"],
      fontSrc: ["'self'", 'data:'],
      imgSrc: ["'self'", 'data:', 'blob:'],
      mediaSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'", 'data:', 'blob:'],
      frameSrc: ["'self'", 'blob:'],
      objectSrc: ["'self'", 'blob:'],
      formAction: ["'self'"],
      baseUri: ["'self'"],
      frameAncestors: ["'self'"],
    },
  },
})

/** Express matches paths whatever their case. */
const ours = /^\/(admin|api|dicomweb|metrics|healthz|readyz)(\/|$)/i

/** Security headers for every answer, with the policy that its part of the node needs. */
export const contentSecurity: RequestHandler = (req, res, next) => {
  const isOurs = req.path === '/' || ours.test(req.path)
  if (isOurs) nonces.set(res, randomBytes(18).toString('base64'))
  const policy = isOurs ? strict : viewer
  policy(req, res, next)
}
