import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { echo } from '../../src/dimse/echo.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { accessibilityFaults, chromiumPath, isTooWide, startBrowser } from '../support/browser.ts'
import { NodeProcess } from '../support/node-process.ts'
import { ctSlice, writePart10 } from '../support/part10-file.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available } from '../support/programs.ts'

const ready = available(chromiumPath)
const hostile = '<img src=x onerror="window.hacked=1">'
/** Markup in every text that is shown. A person's name ends at its first equals sign (PS3.5 6.2.1.2). */
const hostileSlice = ctSlice({
  StudyID: 'hostile',
  PatientName: '<img onerror>^<b>Bold',
  PatientID: hostile,
  StudyDescription: hostile,
  SeriesDescription: hostile,
  AccessionNumber: '<b>1</b>',
})
const hostileStudy = `/admin/studies/${String(hostileSlice.StudyInstanceUID)}`

describe.skipIf(!ready)("the administrator's page, in a real browser", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-page-'))
  // Where screenshots are wanted, to be looked at.
  const shots = process.env.HILUM_SCREENSHOTS
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
    browser = await startBrowser()
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // The first question, whether somebody is logged in, is answered with 401, what cannot be drawn has no picture (404), and a deleted study is gone (410):
      // the browser says so on its console.
      if (message.type() === 'error' && !/\b(401|404|410)\b/.test(message.text())) problems.push(message.text())
    })
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What is shown works for everybody, in both schemes and in a narrow window too. */
  const isUsable = async (name: string) => {
    expect(await accessibilityFaults(page)).toEqual([])
    for (const width of [1400, 900, 420]) {
      await page.setViewportSize({ width, height: 900 })
      // Charts follow the width of their place a moment later.
      await expect.poll(() => isTooWide(page), { message: `${name} at ${width} px` }).toBe(false)
      for (const colorScheme of shots ? (['light', 'dark'] as const) : []) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.screenshot({ path: path.join(shots ?? '', `${name}-${width}-${colorScheme}.png`), fullPage: true })
      }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1400, height: 900 })
  }
  const send = (files: string[]) =>
    sendInstances({ host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM', files })
  const association = (callingAETitle: string) =>
    echo({ host: '127.0.0.1', port: node.dimsePort, callingAETitle, calledAETitle: 'HILUM' })
  const sees = (text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 30_000 })

  it('leads from where somebody wanted to go to the login, and back', async () => {
    await page.goto(`${node.url}/admin/studies?state=failed`)
    await page.getByRole('heading', { name: 'Log in to Hilum' }).waitFor()
    await isUsable('login')
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('is not right').waitFor()
    await page.getByLabel('Password', { exact: true }).fill(node.firstPassword)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
    await isUsable('password')
    await page.getByLabel('New password').fill('correct horse battery')
    await page.getByLabel('The same again').fill('correct horse battery')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.getByRole('heading', { name: 'Studies' }).waitFor()
    expect(page.url()).toBe(`${node.url}/admin/studies?state=failed`)
    const again = await fetch(`${node.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password: node.firstPassword }),
    })
    expect(again.status).toBe(401)
  })

  it('says what is missing while nothing is there', async () => {
    await sees('No study matches')
    await page.getByRole('button', { name: 'Clear' }).click()
    await sees('No study has arrived yet')
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await sees('Nothing runs and nothing waits')
    await sees(/stud(y|ies) finished today/)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Overview')
    expect(await page.title()).toBe('Overview · Hilum')
  })

  it('shows a study live while it arrives, and what was found in it', async () => {
    await page.getByRole('link', { name: 'Studies', exact: true }).click()
    await page.getByRole('status').getByText('Live').waitFor()
    const files = await writePhantom(folder, chestPhantom({ slices: 100, rows: 128, columns: 128 }))
    expect((await send(files)).stored).toBe(100)
    await sees('Total lung volume')
  })

  it("tells the study's story: arrival, completion, the route's verdict with its values, the attempt, the proof", async () => {
    await page
      .getByRole('link', { name: 'PHANTOM, CHEST' })
      .or(page.getByRole('link', { name: 'Phantom, Chest' }))
      .click()
    for (const text of ['CT1', 'after association release', 'series.Modality', 'Attempt 1', 'listed by QIDO-RS'])
      await sees(text)
    await sees('Unverified AI result')
    await page
      .getByRole('list', { name: 'The way of the study' })
      .getByText(/\d of \d verified/)
      .waitFor()
    await page.locator('summary', { hasText: 'Attempt 1' }).first().click()
    // No UID stands where a name would do: they are behind the buttons that copy them.
    expect(await page.locator('main').innerText()).not.toMatch(/\b\d+(\.\d+){5,}|\b2\.25\.\d{6}/)
    await isUsable('study')
    expect(problems).toEqual([])
  })

  it('finds studies by what is known of them, and keeps the question in the address', async () => {
    await page.keyboard.press('/')
    await page.keyboard.type('phantom')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Studies' }).waitFor()
    await sees('1 study')
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByLabel('Finding', { exact: true }).selectOption('Total lung volume')
    await page.getByLabel('Value of the finding').fill('100000')
    await sees('No study matches')
    expect(new URL(page.url()).search).toBe('?search=phantom&finding=Total+lung+volume&value=100000&is=ge')
    await page.reload()
    await sees('No study matches')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('link', { name: /Phantom, Chest/i }).waitFor()
    await isUsable('studies')
  })

  it('shows names that are markup as what they are: text', async () => {
    const file = path.join(folder, 'hostile.dcm')
    writePart10(file, hostileSlice)
    expect((await send([file])).stored).toBe(1)
    const row = page.getByRole('link', { name: '<img onerror>' })
    await row.getByText(hostile).waitFor()
    await row.click()
    await page.getByRole('heading', { name: '<img onerror>, <b>Bold' }).waitFor()
    await page.getByRole('region', { name: 'Received' }).getByText(hostile).waitFor()
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await sees(/stud(y|ies) finished today/)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
    expect(await page.locator('img[src="x"], img[onerror], h1 b').count()).toBe(0)
  })

  it('asks before a study is deleted, by its name, and goes back to the list', async () => {
    await page.goto(`${node.url}${hostileStudy}`)
    await page.getByRole('button', { name: 'Actions' }).press('Enter')
    await page.getByRole('menuitem', { name: 'Delete…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Delete the study of <img onerror>').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete…' }).click()
    await dialog.getByRole('button', { name: 'Delete the study' }).click()
    await page.getByRole('heading', { name: 'Studies' }).waitFor()
    await page.getByRole('link', { name: '<img onerror>' }).waitFor({ state: 'detached' })
    await page.goto(`${node.url}${hostileStudy}`)
    await sees('This study was deleted')
    expect((await page.request.get(`${node.url}/api${hostileStudy.slice('/admin'.length)}`)).status()).toBe(410)
  })

  it('shows the day on the overview', async () => {
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await page.getByRole('heading', { name: 'Through the day' }).waitFor()
    await page.locator('.recharts-surface').first().waitFor()
    await isUsable('overview')
    await page.getByRole('button', { name: 'Colours' }).click()
    await page.getByRole('menuitem', { name: 'Dark' }).click()
    await page.reload()
    await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
    await page.getByRole('button', { name: 'Colours' }).click()
    await page.getByRole('menuitem', { name: 'As the system' }).click()
    expect(problems).toEqual([])
  })

  it('opens the viewer with the cookie of the page', async () => {
    await page.getByRole('link', { name: 'Studies', exact: true }).click()
    await page.getByRole('link', { name: /Phantom, Chest/i }).click()
    const [viewer] = await Promise.all([
      page.context().waitForEvent('page'),
      page
        .getByRole('link', { name: 'View in OHIF' })
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
    await isUsable('senders')
    const card = page.getByRole('listitem').filter({ hasText: 'CT9' })
    await card.getByLabel('search').check()
    await card.getByRole('button', { name: 'Admit' }).click()
    await sees('CT9 may call from 127.0.0.1 now.')
    await sees('Nobody was refused')
    expect(await page.getByRole('row', { name: /^CT9/ }).innerText()).toMatch(/127\.0\.0\.1\s+send, search/)
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
    await isUsable('quarantine')
    await page.getByRole('button', { name: 'Take in again' }).press('Enter')
    await page.getByRole('alert').filter({ hasText: 'No. 1 stays in quarantine' }).waitFor()
    await page.getByRole('button', { name: 'Discard', exact: true }).press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Discard no. 1?').waitFor()
    await dialog.getByRole('button', { name: 'Discard it' }).press('Enter')
    await sees('No. 1 is discarded.')
    await sees('Nothing is in quarantine')
    await page.getByRole('button', { name: 'Discarded' }).click()
    await sees('Discarded by admin')
    expect(problems.filter((problem) => !problem.includes('409'))).toEqual([])
  })
})
