import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendInstances } from '../../src/dimse/send.ts'
import { accessibilityFaults, chromiumPath, isTooWide, startBrowser } from '../support/browser.ts'
import { isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available, viewerFiles } from '../support/programs.ts'

const ready = available(chromiumPath, viewerFiles)

describe.skipIf(!ready)('what readers say of results, in a real browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-feedback-'))
  const shots = process.env.HILUM_SCREENSHOTS
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.5' })
  const phantom = chestPhantom({ slices: 100, rows: 128, columns: 128 })
  const problems: string[] = []
  let browser: Browser
  let study: string
  let reader: Page
  let viewer: Page

  /** A page of somebody who has a role and is logged in. */
  const loggedIn = async (name: string, role: string): Promise<Page> => {
    const added = await node.fetch('/api/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, role }),
    })
    const { oneTimePassword } = (await added.json()) as { oneTimePassword: string }
    const context: BrowserContext = await browser.newContext({
      viewport: { width: 1400, height: 900 },
      baseURL: node.url,
    })
    await context.addInitScript({ content: `globalThis.localStorage?.setItem('shownTours', '["basicViewerTour"]')` })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    page.on('pageerror', ({ message }) => void (message.startsWith('The stack viewport') || problems.push(message)))
    page.on(
      'console',
      (message) => void (/Content Security|Refused/i.test(message.text()) && problems.push(message.text())),
    )
    const headers = { origin: node.url, 'sec-fetch-site': 'same-origin' }
    await page.request.post('/api/session', { headers, data: { name, password: oneTimePassword } })
    const changed = await page.request.post('/api/session/password', {
      headers,
      data: { current: oneTimePassword, next: 'correct horse battery' },
    })
    expect(changed.ok()).toBe(true)
    return page
  }
  const shoot = async (page: Page, name: string) => {
    if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`) })
  }

  beforeAll(async () => {
    await node.start()
    browser = await startBrowser({ draws: true })
    const files = await writePhantom(folder, phantom)
    const target = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM' }
    await sendInstances({ ...target, files })
    const { studies } = await node.json<{ studies: { studyInstanceUID: string }[] }>('/api/studies')
    study = studies[0]?.studyInstanceUID ?? ''
    await node.until(study, isSettled)
    reader = await loggedIn('rita', 'radiologist')
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const results = () => reader.getByRole('region', { name: 'Results' })
  const card = (name: string) =>
    results()
      .getByRole('listitem')
      .filter({ has: reader.getByText(name, { exact: true }) })

  it('is given on the page of the study: accepted, then taken back by a rejection with its reason', async () => {
    await reader.goto(`/admin/studies/${study}`)
    await results().getByText('Unverified AI result').first().waitFor()
    await results().getByRole('button', { name: 'Accept: Segmentation' }).press('Enter')
    await card('Segmentation').getByText('Accepted by rita').waitFor()
    expect(await reader.getByRole('button', { name: 'Accept: Segmentation' }).getAttribute('aria-pressed')).toBe('true')
    await reader.getByRole('button', { name: 'Reject: Segmentation' }).click()
    const dialog = reader.getByRole('dialog', { name: 'Reject the result' })
    expect(await dialog.getByRole('button', { name: 'Reject' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Why it is wrong').fill('the trachea is not lung <b>')
    expect(await accessibilityFaults(reader)).toEqual([])
    await dialog.getByRole('button', { name: 'Reject' }).click()
    await card('Segmentation').getByText('Rejected by rita').waitFor()
    await card('Segmentation').getByText('the trachea is not lung <b>').waitFor()
    await card('Segmentation').getByText('taken back by a later verdict').waitFor()
  })

  it('is a comment, which takes nothing back, or another object that is right', async () => {
    const more = () => reader.getByRole('button', { name: 'More to say: Measurement report' }).click()
    await more()
    await reader.getByRole('menuitem', { name: 'Corrected…' }).click()
    const dialog = reader.getByRole('dialog')
    await dialog.getByLabel('Its SOP Instance UID').fill('not a UID')
    await dialog.getByRole('button', { name: 'Keep it' }).click()
    await dialog.getByText('Nothing was kept').waitFor()
    await dialog.getByLabel('Its SOP Instance UID').fill('1.2.77')
    await dialog.getByRole('button', { name: 'Keep it' }).click()
    await card('Measurement report').getByText('Corrected by rita').waitFor()
    await more()
    await reader.getByRole('menuitem', { name: 'Comment…' }).click()
    await dialog.getByLabel('Comment', { exact: true }).fill('a fine density')
    await dialog.getByRole('button', { name: 'Comment' }).click()
    await card('Measurement report').getByText('a fine density').waitFor()
    await card('Measurement report').getByText('Corrected by rita').waitFor()
    expect(await accessibilityFaults(reader)).toEqual([])
    for (const width of [1400, 900, 420]) {
      await reader.setViewportSize({ width, height: 900 })
      await results().scrollIntoViewIfNeeded()
      await expect.poll(() => isTooWide(reader)).toBe(false)
      await shoot(reader, `feedback-study-${width}`)
    }
    await reader.setViewportSize({ width: 1400, height: 900 })
    const { feedback } = await node.json<{ feedback: object[] }>(`/api/feedback?studyInstanceUID=${study}`)
    expect(feedback).toMatchObject([
      { verdict: 'comment', current: true },
      { verdict: 'corrected', current: true, correctedSOPInstanceUID: '1.2.77' },
      { verdict: 'rejected', current: true, givenBy: 'user:rita' },
      { verdict: 'accepted', current: false },
    ])
  })

  const bar = () => viewer.getByRole('region', { name: 'AI results' })
  /** The image and the bar, as they lie in the window. */
  const places = async () => {
    const image = await viewer.locator('[data-cy="viewport-pane"]').first().boundingBox()
    const strip = await bar().boundingBox()
    if (!image || !strip) throw new Error('the image or the bar is not there')
    return {
      imageEnds: image.y + image.height,
      barBegins: strip.y,
      barEnds: strip.y + strip.height,
      image: image.height,
    }
  }

  it('is given beside the image: a bar below OHIF, which covers nothing, open or closed', async () => {
    viewer = await reader.context().newPage()
    await viewer.goto(`/viewer?StudyInstanceUIDs=${study}`)
    await viewer.locator('[data-cy="viewport-pane"] canvas').first().waitFor({ timeout: 90_000 })
    const fold = bar().getByRole('button', { name: '4 AI results' })
    await fold.waitFor()
    await expect.poll(async () => (await places()).barEnds).toBe(900)
    const closed = await places()
    expect(closed.barBegins).toBeGreaterThan(850)
    expect(closed.imageEnds).toBeLessThanOrEqual(closed.barBegins)
    await shoot(viewer, 'viewer-bar-closed')
    await fold.press('Enter')
    await expect.poll(async () => (await places()).image).toBeLessThan(closed.image)
    const open = await places()
    expect(open.imageEnds).toBeLessThanOrEqual(open.barBegins)
    await bar().getByRole('listitem').filter({ hasText: 'Segmentation' }).getByText('Rejected by rita').waitFor()
    await bar()
      .getByText(/Lung .*\d+\.\d+\.\d+/i)
      .first()
      .waitFor()
    await shoot(viewer, 'viewer-bar-open')
  })

  it('takes verdicts by the keyboard alone, whose letters are no shortcuts of the viewer', async () => {
    await bar().getByRole('button', { name: 'Accept: Segmentation' }).press('Enter')
    await bar().getByRole('status').getByText('Segmentation: Accepted.').waitFor()
    await bar().getByText('Accepted by rita').waitFor()
    await bar().getByRole('button', { name: 'Comment: Segmentation' }).press('Enter')
    const heard = await viewer.evaluateHandle(`(() => {
      const heard = []
      document.addEventListener('keydown', ({ key }) => heard.push(key))
      return heard
    })()`)
    await viewer.keyboard.type('rihv, zoom')
    expect(await heard.jsonValue()).toEqual([])
    expect(await bar().getByLabel('Comment', { exact: true }).inputValue()).toBe('rihv, zoom')
    await shoot(viewer, 'viewer-bar-comment')
    await viewer.keyboard.press('Tab')
    await viewer.keyboard.press('Enter')
    await bar().getByText('1 comment').waitFor()
    await bar().getByRole('button', { name: 'Reject: Measurement report' }).click()
    await viewer.keyboard.press('Escape')
    await bar().getByLabel('Why it is wrong').waitFor({ state: 'detached' })
    await viewer.keyboard.press('Escape')
    expect(await bar().getByRole('listitem').count()).toBe(0)
    expect(await accessibilityFaults(viewer, 'hilum-results')).toEqual([])
    await viewer.setViewportSize({ width: 900, height: 700 })
    await bar().getByRole('button', { name: '4 AI results' }).click()
    await expect.poll(async () => (await places()).barEnds).toBe(700)
    const narrow = await places()
    expect(narrow.imageEnds).toBeLessThanOrEqual(narrow.barBegins)
    await shoot(viewer, 'viewer-bar-900')
    expect(problems).toEqual([])
    await viewer.close()
  })

  it('is not offered to whoever may only look', async () => {
    const other = await loggedIn('victor', 'viewer')
    await other.goto(`/admin/studies/${study}`)
    await other.getByRole('region', { name: 'Results' }).getByText('Segmentation', { exact: true }).waitFor()
    expect(await other.getByRole('button', { name: /^(Accept|Reject|More to say)/ }).count()).toBe(0)
    const session = other.waitForResponse((answer) => answer.url().endsWith('/api/session'))
    await other.goto(`/viewer?StudyInstanceUIDs=${study}`)
    await session
    await other.locator('[data-cy="viewport-pane"] canvas').first().waitFor({ timeout: 90_000 })
    expect(await other.locator('hilum-results').count()).toBe(0)
    expect(await other.getByRole('region', { name: 'AI results' }).count()).toBe(0)
    const result = (await node.timeline(study))?.results[0]?.sopInstanceUID ?? ''
    const refused = await other.request.post(`/api/results/${result}/feedback`, {
      headers: { origin: node.url, 'sec-fetch-site': 'same-origin' },
      data: { verdict: 'accepted' },
    })
    expect(refused.status()).toBe(403)
    expect(problems).toEqual([])
  })
})
