import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Response } from 'express'
import { static as files, Router } from 'express'
import { nonceOf } from './content-security.ts'
import { refuse } from './refusal.ts'

/** What Vite made of src/admin/ui; this module stands in `src/admin` or in `dist/admin`, both two levels down. */
const builtPage = fileURLToPath(new URL('../../dist/admin/ui', import.meta.url))

/**
 * The administrator's page, relative to /admin: its files, and for every other address the page itself, whose program reads the address.
 * Files in `assets` have their digest in the name and are kept for a year; everything else is asked for anew.
 * @param folder that the page was built to
 */
export function adminPage(folder = builtPage): Router {
  const router = Router()
  const index = indexOf(path.join(folder, 'index.html'))
  const send = (_req: unknown, res: Response) => {
    const text = index()
    if (text === null)
      return refuse(res, 503, 'page-not-built', 'The page is not built: `npm run build` makes dist/admin/ui.')
    res.setHeader('Cache-Control', 'no-cache')
    res.type('html').send(text.replaceAll('__CSP_NONCE__', nonceOf(res)))
  }
  router.get(['/', '/index.html'], send)
  router.use('/assets', files(path.join(folder, 'assets'), { redirect: false, immutable: true, maxAge: '365d' }))
  // A page that was open during an update asks for files that are gone: it has to learn so, not to get HTML for a script.
  router.use('/assets', (_req, res) => refuse(res, 404, 'not-found', 'There is no such file of the page.'))
  router.use(files(folder, { redirect: false, index: false, dotfiles: 'ignore', setHeaders: revalidate }))
  router.get('/*path', send)
  return router
}

/** Reads the page, and again when it was built anew. null where it is not there. */
function indexOf(file: string): () => string | null {
  let text: string | null = null
  let readAt = Number.NaN
  return () => {
    const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: null }
    if (mtimeMs === null) return null
    if (mtimeMs !== readAt) {
      text = readFileSync(file, 'utf8')
      readAt = mtimeMs
    }
    return text
  }
}

function revalidate(res: { setHeader(name: string, value: string): unknown }): void {
  res.setHeader('Cache-Control', 'no-cache')
}
