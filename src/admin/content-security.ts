import type { RequestHandler } from 'express'
import helmet from 'helmet'

const shared = {
  // Hospitals serve on plain HTTP inside their own network: rewriting to https would break every request there.
  // A proxy that ends TLS adds Strict-Transport-Security itself.
  strictTransportSecurity: false,
  xPoweredBy: true,
  referrerPolicy: { policy: 'same-origin' as const },
}

/** Our own pages and answers: nothing but this origin's files, nothing inline. */
const strict = helmet({
  ...shared,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
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
  const policy = req.path === '/' || ours.test(req.path) ? strict : viewer
  policy(req, res, next)
}
