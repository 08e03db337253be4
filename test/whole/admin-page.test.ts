import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { echo } from '../../src/dimse/echo.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available } from '../support/programs.ts'

const ready = available('/usr/bin/chromium')

describe.skipIf(!ready)("the administrator's page, in a real browser", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-page-'))
  const node = new NodeProcess({
    HILUM_ASSEMBLE_RELEASE: '0.5',
    HILUM_DIMSE_UNKNOWNCALLERS: 'reject',
    HILUM_REMOTES: '[{ aeTitle: CT1 }]',
  })
  const problems: string[] = []
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    await node.start()
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
      ],
    })
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // The first question, whether somebody is logged in, is answered with 401: the browser says so on its console.
      if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text())
    })
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const association = (callingAETitle: string) =>
    echo({ host: '127.0.0.1', port: node.dimsePort, callingAETitle, calledAETitle: 'HILUM' })
  const sees = (text: string) => page.getByText(text).first().waitFor({ timeout: 30_000 })

  it('lets the administrator in with the one-time password, once, and asks for another', async () => {
    await page.goto(`${node.url}/`)
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill(node.firstPassword)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('New password').fill('correct horse battery')
    await page.getByLabel('The same again').fill('correct horse battery')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await sees('Studies')
    const again = await fetch(`${node.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password: node.firstPassword }),
    })
    expect(again.status).toBe(401)
  })

  it('shows a study live while it arrives, and what was found in it', async () => {
    const files = await writePhantom(folder, chestPhantom({ slices: 100, rows: 128, columns: 128 }))
    const report = await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'CT1',
      calledAETitle: 'HILUM',
      files,
    })
    expect(report.stored).toBe(100)
    await sees('Total lung volume')
  })

  it("tells the study's story: arrival, completion, the route's verdict with its values, the attempt, the proof", async () => {
    await page.locator('a[href*="2.25."]').first().click()
    for (const text of [
      'CT1@127.0.0.1',
      'after association release',
      'series.Modality',
      'attempt 1',
      'listed by QIDO-RS',
    ])
      await sees(text)
    await sees('unverified AI result')
    expect(problems).toEqual([])
  })

  it('opens the viewer with the cookie of the page', async () => {
    const [viewer] = await Promise.all([
      page.context().waitForEvent('page'),
      page
        .getByRole('link', { name: 'Open in viewer' })
        .first()
        .click({ modifiers: ['Control'] }),
    ])
    await viewer.waitForSelector('[data-cy="viewport-pane"]', { timeout: 90_000 })
    expect(viewer.url()).toContain('/viewer?StudyInstanceUIDs=')
    await viewer.close()
  })

  it('shows a refused scanner at once, and admits it by a click: its next association is accepted', async () => {
    await page.getByRole('link', { name: 'Senders' }).click()
    await sees('Nobody was refused')
    await expect(association('CT9')).rejects.toMatchObject({ code: 'association-rejected' })
    await sees('the calling AE title is not configured')
    const card = page.locator('li', { hasText: 'CT9' })
    await card.getByLabel('search').check()
    await card.getByRole('button', { name: 'Admit' }).click()
    await sees('CT9 may call from 127.0.0.1 now.')
    await sees('Nobody was refused')
    expect(await page.getByRole('row', { name: /^CT9/ }).innerText()).toMatch(/127\.0\.0\.1\s+send\s*search/)
    expect((await association('CT9')).status).toBe(0)
  })

  it('shows what cannot be kept, and discards it by the keyboard, after asking', async () => {
    await page.getByRole('link', { name: 'Quarantine' }).click()
    await sees('Nothing is in quarantine')
    const [cookie] = await page.context().cookies()
    const stored = await fetch(`${node.url}/dicomweb/studies`, {
      method: 'POST',
      headers: {
        'content-type': 'application/dicom',
        cookie: `${cookie?.name}=${cookie?.value}`,
        'sec-fetch-site': 'same-origin',
      },
      body: '<b>no DICOM</b>',
    })
    expect(stored.status).toBe(409)
    await sees('STOW-RS@127.0.0.1')
    await page.getByRole('button', { name: 'Take in again' }).press('Enter')
    await page.locator('.failure', { hasText: 'not-part10' }).waitFor()
    await page.getByRole('button', { name: 'Discard', exact: true }).press('Enter')
    await page.keyboard.press('Enter')
    await sees('No. 1 is discarded.')
    await sees('Nothing is in quarantine')
    await page.getByRole('button', { name: 'Discarded' }).click()
    await sees('Discarded by user:admin')
    expect(problems.filter((problem) => !problem.includes('409'))).toEqual([])
  })
})
