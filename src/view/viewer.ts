import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import express, { type RequestHandler, type Response, type Router } from 'express'
import type { Log } from '../log.ts'
import { viewerConfigScript, viewerContentSecurityPolicy } from './viewer-config.ts'

/** Routes inside OHIF's page; everything else at the root of the origin belongs to the node. */
const pages = [
  'viewer',
  'basic',
  'segmentation',
  'tmtv',
  'microscopy',
  'dynamic-volume',
  'usAnnotation',
  'local',
  'localbasic',
  'notfoundserver',
  'notfoundstudy',
]

/** A name that changes with the file's content: `781.bundle.54774b486e83a5e1.js`, `776f756dd939124e.wasm`. */
const hashedName = /(^|\.)[0-9a-f]{16}\.[a-z0-9]+(\.br|\.gz)?$/

const absent = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Viewer not installed</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8883;padding:.1em .3em}</style>
</head><body><h1>The viewer is not installed</h1>
<p>This node works without it: studies are received, processed and delivered. To look at images here, run</p>
<p><code>npm run setup -- --viewer</code></p>
<p>where Hilum is installed (it fetches OHIF, 50&nbsp;MB, once), and restart the node. Any other DICOMweb viewer can be pointed
at <code>/dicomweb</code>.</p></body></html>
`

/**
 * Serves OHIF at the root of the origin, because its assets have absolute URLs: its files, its configuration, and its one page for
 * its own routes. Everything else is left to the handlers that follow.
 * @param folder OHIF's built `dist`, or null; without an index.html in it, /viewer says how to add it
 */
export function viewerRouter({ folder, log }: { folder: string | null; log: Log }): Router {
  const router = express.Router()
  const index = folder === null ? null : readIndex(folder)
  const policy = policyText(index)
  if (folder === null || index === null) {
    log.info('viewer not installed: /viewer says how to add it')
    router.get(
      pages.map((page) => `/${page}`),
      (_request, response) => {
        setPolicy(response, "default-src 'none'; style-src 'unsafe-inline'")
        response.status(503).set('Cache-Control', 'no-store').type('html').send(absent)
      },
    )
    return router
  }
  router.get('/app-config.js', (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('text/javascript').send(viewerConfigScript)
  })
  router.get(
    pages.flatMap((page) => [`/${page}`, `/${page}/*rest`]),
    (_request, response) => {
      setPolicy(response, policy)
      response.set('Cache-Control', 'no-cache').type('html').send(index)
    },
  )
  router.use(onlyAssets, compressed(folder), assets(folder, policy))
  return router
}

/** index.html itself is the page of OHIF's routes and no asset: `/` belongs to the node. */
const onlyAssets: RequestHandler = (request, _response, next) => {
  const isAsset = (request.method === 'GET' || request.method === 'HEAD') && !/^\/(index\.html)?$/.test(request.path)
  next(isAsset ? undefined : 'router')
}

function assets(folder: string, policy: string): RequestHandler {
  return express.static(folder, {
    index: false,
    redirect: false,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders(response, file) {
      // Workers take their policy from their own script's answer, not from the page.
      setPolicy(response, policy)
      const forever = hashedName.test(path.basename(file))
      response.setHeader('Cache-Control', forever ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

/** Where `file.js.br` or `file.js.gz` lies beside `file.js`, clients that can take it get it. */
function compressed(folder: string): RequestHandler {
  const names = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(br|gz)$/.test(name))
      .map((name) => `/${name.split(path.sep).join('/')}`),
  )
  if (names.size === 0) return (_request, _response, next) => next()
  return (request, response, next) => {
    const wanted = request.acceptsEncodings(['br', 'gzip'])
    const suffix = wanted === 'br' ? '.br' : '.gz'
    if (wanted && names.has(request.path + suffix)) {
      response.type(path.extname(request.path)).set({ 'Content-Encoding': wanted, Vary: 'Accept-Encoding' })
      request.url = request.path + suffix
    }
    next()
  }
}

/** The node's own bar, by which readers judge the results of the study that is open; it belongs to the page at /admin. */
const bar = '<script type="module" src="/admin/viewer-bar.js"></script>'

function readIndex(folder: string): string | null {
  try {
    const html = readFileSync(path.join(folder, 'index.html'), 'utf8')
    return html.replace('</head>', `${bar}</head>`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function policyText(index: string | null): string {
  return Object.entries(viewerContentSecurityPolicy(index))
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ')
}

function setPolicy(response: Response, policy: string): void {
  response.setHeader('Content-Security-Policy', policy)
}
