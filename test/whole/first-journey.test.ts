import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, chromiumPath, isTooWide, startBrowser } from '../support/browser.ts'
import { sharedData } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { freePort, type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available, runProgram, viewerFiles } from '../support/programs.ts'
import { shownIn } from '../support/viewer.ts'

const nlst = sharedData('ct-chest-nlst')
const ready = available(chromiumPath, viewerFiles, 'storescu', 'Orthanc', nlst)

/** A node as it is installed, but for its route: it is what somebody builds here. */
const configuration = `
dimse: { unknownCallers: reject }
assemble: { release: 1 }
destinations: { self: { kind: self } }
routes: []
`

describe.skipIf(!ready)('the first hour with a node, as an administrator sees it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-journey-'))
  // Where screenshots are wanted, to be looked at.
  const shots = process.env.HILUM_SCREENSHOTS
  const scan = path.join(nlst ?? '', readdirSync(nlst ?? '.').find((name) => name.startsWith('CT_')) ?? '')
  const file = path.join(folder, 'hilum.yaml')
  writeFileSync(file, configuration)
  const node = new NodeProcess({}, file)
  const problems: string[] = []
  let orthanc: OrthancProcess
  let browser: Browser
  let page: Page
  let viewer: Page

  beforeAll(async () => {
    orthanc = await startOrthanc({ user: 'hilum', password: 'for-tests' })
    // Set before it starts: a port that is chosen by the system stays the same after a restart only.
    node.dimsePort = await freePort()
    await node.start()
    browser = await startBrowser({ draws: true })
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, baseURL: node.url })
    await context.addInitScript({ content: `globalThis.localStorage?.setItem('shownTours', '["basicViewerTour"]')` })
    context.setDefaultTimeout(20_000)
    page = await context.newPage()
    page.on('pageerror', ({ message }) => problems.push(message))
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const button = (name: string | RegExp, within: Page | Locator = page) => within.getByRole('button', { name })
  const heading = (name: string | RegExp) => page.getByRole('heading', { name }).first().waitFor()
  const goTo = async (name: string) => {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
    await heading(name)
  }
  /** dcmtk's, as a scanner that never was here. */
  const storescu = (folderOfFiles: string) =>
    runProgram('storescu', [
      '-xt',
      '+sd',
      '-aet',
      'CT7',
      '-aec',
      'HILUM',
      '127.0.0.1',
      String(node.dimsePort),
      folderOfFiles,
    ])

  /** The screen as it is works for everybody, fits two windows, and has its picture taken. */
  const isUsable = async (name: string) => {
    expect(await accessibilityFaults(page), name).toEqual([])
    for (const width of [1400, 900]) {
      await page.setViewportSize({ width, height: 900 })
      // Charts follow the width of their place a moment later.
      await expect.poll(() => isTooWide(page), { message: `${name} at ${width} px` }).toBe(false)
      for (const colorScheme of shots ? (['light', 'dark'] as const) : []) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        // What is fixed to the window would stand in the midst of the picture.
        await page.evaluate('scrollTo(0, 0)')
        await page.screenshot({
          path: path.join(shots ?? '', `journey-${name}-${width}-${colorScheme}.png`),
          fullPage: true,
        })
      }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1400, height: 900 })
  }

  it('begins with the one-time password, in whose place another comes', async () => {
    await page.goto('/admin')
    await heading('Log in to Hilum')
    await isUsable('01-login')
    await page.getByRole('textbox', { name: 'User name' }).fill('admin')
    await page.getByLabel('Password', { exact: true }).fill(node.firstPassword)
    await button('Log in').click()
    await heading('Choose a password')
    await isUsable('02-password')
    await page.getByLabel('New password').fill('correct horse battery')
    await page.getByLabel('The same again').fill('correct horse battery')
    await button('Set the password').click()
    await heading('Overview')
    await page.getByRole('banner').getByText('HILUM', { exact: true }).waitFor()
    expect(await page.title()).toBe('Overview · Hilum')
    await isUsable('03-overview-empty')
  })

  it('shows a scanner that was refused, and admits it with one click', async () => {
    await goTo('Senders')
    const phantom = path.join(folder, 'phantom')
    await writePhantom(phantom, chestPhantom({ slices: 100, rows: 128, columns: 128 }))
    expect(storescu(phantom).code).not.toBe(0)
    const caller = page.getByRole('region', { name: 'Refused' }).getByRole('listitem').filter({ hasText: 'CT7' })
    await caller.getByText('from 127.0.0.1, called HILUM').waitFor()
    await isUsable('04-refused')
    await button('Admit', caller).click()
    await page.getByText('CT7 may call from 127.0.0.1 now.').waitFor()
    await page.getByRole('row', { name: /CT7/ }).waitFor()
    await isUsable('05-admitted')
    const sent = storescu(phantom)
    expect([sent.code, sent.output]).toEqual([0, sent.output])
    await goTo('Studies')
    await page.getByRole('link', { name: /Phantom, Chest/i }).waitFor()
  })

  it('adds a destination, tries it before it is saved, and tests it', async () => {
    await goTo('Destinations')
    await button('Add a destination').click()
    const dialog = page.getByRole('dialog', { name: 'Add a destination' })
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('archive')
    await dialog.getByRole('textbox', { name: 'Address' }).fill(`${orthanc.url}/dicom-web`)
    await dialog.getByRole('combobox', { name: 'Login' }).selectOption('User name and password')
    await dialog.getByRole('textbox', { name: 'User name' }).fill('hilum')
    await dialog.getByLabel(/^Password/).fill('wrong')
    await button('Try it', dialog).click()
    await dialog.getByRole('status').getByRole('img', { name: 'Failed' }).first().waitFor()
    await isUsable('06-destination-wrong')
    await dialog.getByLabel(/^Password/).fill('for-tests')
    await button('Try it', dialog).click()
    await dialog.getByRole('status').getByRole('img', { name: 'Failed' }).first().waitFor({ state: 'detached' })
    await dialog.getByRole('status').getByRole('img', { name: 'Passed' }).first().waitFor()
    await button('Add', dialog).last().click()
    await dialog.waitFor({ state: 'hidden' })
    await button('Test archive').click()
    const test = page.getByRole('dialog', { name: 'Test of archive' })
    await test.getByRole('img', { name: 'Passed' }).first().waitFor()
    expect(await test.getByRole('img', { name: 'Failed' }).count()).toBe(0)
    await isUsable('07-destination-tested')
    await button('Close', test).click()
    await isUsable('08-destinations')
  })

  it('builds a route visually, with what past studies had offered', async () => {
    await goTo('Routes')
    await isUsable('09-routes-empty')
    await page.getByRole('link', { name: 'New route' }).first().click()
    await page.getByRole('radio', { name: /CT lung density/ }).check()
    await page.getByRole('checkbox', { name: 'archive' }).check()
    await page.getByRole('textbox', { name: 'Name of the route' }).fill('lungs')
    await isUsable('10-new-route')
    await button('Make the draft').click()
    await heading('lungs')
    const studies = page.getByRole('region', { name: 'Which studies?' })
    await button('Condition', studies).click()
    await studies.getByRole('combobox', { name: 'Field' }).click()
    await page.keyboard.type('study description')
    await page
      .getByRole('option', { name: /^Study Description/ })
      .first()
      .click()
    await studies.getByRole('combobox', { name: /Comparison of/ }).selectOption('is not')
    await studies
      .getByRole('combobox', { name: 'Value' })
      .or(studies.getByRole('textbox', { name: 'Value' }))
      .first()
      .fill('QA')
    const text = studies.getByRole('textbox', { name: 'Which studies, as text' })
    await expect.poll(() => text.innerText()).toBe('study.StudyDescription != "QA"')
    await page.getByText('Draft saved').waitFor()
    await isUsable('11-builder')
  })

  it('replays it over what has arrived, and puts it in force', async () => {
    await page.getByRole('tab', { name: 'Replay' }).click()
    await button('Replay', page.getByRole('tabpanel')).click()
    await page.getByText('Would have matched 1 of 1 study; no version is in force to compare with.').waitFor()
    await isUsable('12-replay')
    await button('Put in force…').click()
    const dialog = page.getByRole('dialog', { name: 'Put lungs in force?' })
    await dialog.getByText(/Would have matched 1 of 1 study/).waitFor()
    await isUsable('13-activate')
    await dialog.getByRole('textbox', { name: 'Why' }).fill('the first one')
    await button('Put it in force', dialog).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('Version 1 in force').waitFor()
    expect(await page.getByRole('heading', { level: 1 }).innerText()).not.toContain('Draft')
    await page.getByRole('tab', { name: 'Versions' }).click()
    await page.getByText('the first one').first().waitFor()
    await isUsable('14-versions')
  })

  it('shows the scan live, from its arrival to the proof that its results are at both destinations', async () => {
    await goTo('Studies')
    await page.getByRole('status').getByText('Live').waitFor()
    const sent = storescu(scan)
    expect([sent.code, sent.output]).toEqual([0, sent.output])
    const row = page.getByRole('row').filter({ hasText: '143' })
    await row.waitFor()
    await row.getByRole('link').first().click()
    await page.waitForURL(/\/admin\/studies\/1\.2\.840/)
    const title = page.getByRole('main').getByRole('heading', { level: 1 })
    await expect.poll(() => title.innerText(), { timeout: 90_000 }).toMatch(/LSS[^]*Done/)
    const way = page.getByRole('list', { name: 'The way of the study' })
    await way.getByText(/^(\d+) of \1 verified$/).waitFor()
    const deliveries = page.getByRole('region', { name: 'Deliveries' })
    for (const name of ['archive', 'This node']) await deliveries.getByRole('heading', { name }).first().waitFor()
    await page.getByRole('region', { name: 'Routes' }).getByText('Matched').first().waitFor()
    await page
      .getByRole('region', { name: 'Findings of ct-lung-density' })
      .getByText('Total lung volume')
      .first()
      .waitFor()
    await isUsable('15-study')
    expect(await orthanc.request<string[]>('GET', '/series')).not.toEqual([])
  })

  it('opens the overlay beside the image in OHIF, and accepts the result there', async () => {
    await page.getByRole('main').getByRole('link', { name: 'View in OHIF' }).first().click()
    viewer = page
    await expect
      .poll(async () => await shownIn(viewer), { timeout: 180_000, interval: 500 })
      .toMatchObject({ segments: ['Left lung', 'Right lung'] })
    await expect.poll(async () => (await shownIn(viewer)).coloured, { timeout: 60_000 }).toBeGreaterThan(0.005)
    const bar = viewer.getByRole('region', { name: 'AI results' })
    await bar.getByRole('button', { name: /AI results/, expanded: false }).click()
    const result = bar.getByRole('listitem').filter({ hasText: 'Segmentation' })
    await result.getByText('Unverified').waitFor()
    await result.getByText(/CT lung density \d+\.\d+\.\d+/).waitFor()
    if (shots) await viewer.screenshot({ path: path.join(shots, 'journey-16-viewer-1400.png') })
    await button('Accept: Segmentation', bar).click()
    await result.getByText('Accepted by admin').waitFor()
    await button('Accept: Measurement report', bar).click()
    await bar.getByText('Accepted by admin').nth(1).waitFor()
    await viewer.setViewportSize({ width: 900, height: 900 })
    if (shots) await viewer.screenshot({ path: path.join(shots, 'journey-16-viewer-900.png') })
    await viewer.setViewportSize({ width: 1400, height: 900 })
    await page.goBack()
    await page.getByRole('region', { name: 'Results' }).getByText('Accepted by admin').first().waitFor()
    await isUsable('17-study-accepted')
  })

  it('counts it in Insights', async () => {
    await goTo('Insights')
    await page.locator('.recharts-surface').first().waitFor()
    await isUsable('18-insights')
    await button('Readers').click()
    await page.getByText('What readers said').first().waitFor()
    const accepted = page.getByRole('main').getByText('Accepted', { exact: true }).first().locator('..')
    await expect.poll(() => accepted.innerText()).toMatch(/Accepted\s+2\s+of 2 opinions/)
    await isUsable('19-insights-readers')
    await button('Volumes').click()
    await page.locator('.recharts-surface').first().waitFor()
    await isUsable('20-insights-volumes')
    await goTo('Overview')
    await page
      .getByText(/stud(y|ies) finished today/)
      .first()
      .waitFor()
    await isUsable('21-overview')
    expect(problems.filter((problem) => !problem.startsWith('The stack viewport'))).toEqual([])
  })
})
