import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendInstances } from '../../src/dimse/send.ts'
import { accessibilityFaults, chromiumPath, isTooWide, startBrowser } from '../support/browser.ts'
import { repository } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available } from '../support/programs.ts'

describe.skipIf(!available(chromiumPath))('routes and pipelines on the page, in a real browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-routes-'))
  // Where screenshots are wanted, to be looked at.
  const shots = process.env.HILUM_SCREENSHOTS
  const models = path.join(folder, 'models')
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.5', HILUM_PIPELINES_FOLDER: models })
  const problems: string[] = []
  let browser: Browser
  let page: Page
  let slices: string[]

  beforeAll(async () => {
    mkdirSync(models)
    cpSync(path.join(repository, 'models', 'ct-lung-density'), path.join(models, 'ct-lung-density'), {
      recursive: true,
    })
    await node.start()
    slices = await study('thin', { slices: 60, thickness: 2 })
    await study('short', { slices: 12, thickness: 5 })
    browser = await startBrowser()
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // Whether somebody is logged in is answered with 401 at first; a changed draft with 412: the browser says so on its console.
      if (message.type() === 'error' && !/\b(401|404|412)\b/.test(message.text())) problems.push(message.text())
    })
    await page.goto(`${node.url}/admin/routes`)
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill(node.firstPassword)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('New password').fill('correct horse battery')
    await page.getByLabel('The same again').fill('correct horse battery')
    await page.getByRole('button', { name: 'Set the password' }).click()
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A study of one series, which has arrived and was put to the routes. */
  async function study(identity: string, { slices: count, thickness }: { slices: number; thickness: number }) {
    const elements = {
      PatientName: `Test^${identity}`,
      PatientID: identity,
      BodyPartExamined: 'CHEST',
      SliceThickness: thickness,
    }
    const phantom = chestPhantom({ slices: count, rows: 32, columns: 32 })
    const files = await writePhantom(path.join(folder, identity), phantom, { identity, elements })
    await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'CT1',
      calledAETitle: 'HILUM',
      files,
    })
    return files
  }
  const sees = (text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 30_000 })
  const tab = (name: string) => page.getByRole('tab', { name }).click()
  const saved = () => page.getByRole('status').getByText('Draft saved').waitFor()
  /** The lines and the text of one condition. */
  const lines = (label: string) => page.getByRole('group', { name: `${label}, as conditions` })
  const text = (label: string) => page.getByRole('textbox', { name: `${label}, as text` })
  const writeText = async (label: string, cel: string) => {
    await text(label).click()
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Backspace')
    // As one paste: what is typed letter by letter has its brackets and quotes closed.
    await page.keyboard.insertText(cel)
    await page.keyboard.press('Escape')
  }
  const isUsable = async (name: string) => {
    expect([name, await accessibilityFaults(page)]).toEqual([name, []])
    for (const width of [1400, 900, 420]) {
      await page.setViewportSize({ width, height: 900 })
      expect([name, width, await isTooWide(page)]).toEqual([name, width, false])
      for (const colorScheme of shots ? (['light', 'dark'] as const) : []) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.screenshot({ path: path.join(shots ?? '', `${name}-${width}-${colorScheme}.png`), fullPage: true })
      }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1400, height: 900 })
  }

  it('makes a draft of four answers', async () => {
    await page.getByRole('link', { name: 'New route' }).click()
    await page.getByRole('radio', { name: /CT lung density/ }).check()
    await page.getByRole('button', { name: 'CHEST' }).click()
    await page.getByLabel('Name of the route').fill('chest-ct')
    await isUsable('new-route')
    await page.getByRole('button', { name: 'Make the draft' }).click()
    await page.getByRole('heading', { name: 'chest-ct' }).waitFor()
    expect(await text('Series ct').innerText()).toBe(
      'series.Modality == "CT" && series.instances >= 20 && series.BodyPartExamined == "CHEST"',
    )
  })

  it('writes the text of what is built, and builds what is written', async () => {
    const built = lines('Series ct')
    await built.getByRole('button', { name: 'Condition', exact: true }).click()
    const field = built.getByRole('combobox', { name: 'Field' }).or(built.getByLabel('Field')).last()
    await field.click()
    await field.fill('slice thick')
    await page.getByRole('option', { name: /^Slice Thickness/ }).click()
    await built.getByLabel('Comparison of Slice Thickness').selectOption('at most')
    await built.getByLabel('Value').last().fill('3')
    await text('Series ct').getByText('series.SliceThickness').waitFor()
    expect(await text('Series ct').innerText()).toMatch(/"CHEST" && series\.SliceThickness <= 3$/)
    await saved()
    await writeText('Which studies', 'study.Modalities.size() > 0 || "CT" in study.Modalities')
    await sees('This condition says more than lines can show')
    await writeText('Which studies', '"CT" in study.Modalities')
    await lines('Which studies').getByLabel('Comparison of Modalities').waitFor()
    expect(await lines('Which studies').getByLabel('Value').inputValue()).toBe('CT')
    await page.getByRole('button', { name: 'Critical finding', exact: true }).click()
    await page.getByLabel('Finding', { exact: true }).selectOption('LAA-950')
    await page.getByLabel('Above %').fill('25')
    await saved()
    const draft = await node.json<{ definition: object }>('/api/routes/chest-ct/draft')
    expect(draft.definition).toMatchObject({ urgent: [{ finding: 'LAA-950', over: 25 }] })
    await isUsable('builder')
  })

  it('marks a mistake where it stands, and says what is missing', async () => {
    await writeText('Which studies', '"CT" in study.Modalties')
    await page.getByRole('button', { name: 'Line 1, column 15' }).waitFor()
    await sees(/did you mean "Modalities"/)
    await page.locator('.cel-mistake').waitFor()
    await sees('missing before it can be put in force')
    expect(await page.getByRole('button', { name: 'Put in force…' }).isDisabled()).toBe(true)
    await isUsable('mistake')
    await writeText('Which studies', '"CT" in study.Modalities')
    await page.getByText('missing before it can be put in force').waitFor({ state: 'detached' })
    await saved()
  })

  it('completes fields with what it knows', async () => {
    await writeText('Which studies', '"CT" in study.Modalities && study.PatientS')
    await page.keyboard.press('Control+Space')
    const offered = page.locator('.cm-tooltip-autocomplete li')
    await offered.filter({ hasText: 'PatientSex' }).first().waitFor()
    expect(await offered.allInnerTexts()).not.toContainEqual(expect.stringContaining('Modality'))
    await page.keyboard.press('Escape')
    await writeText('Which studies', '"CT" in study.Modalities')
    await saved()
  })

  it('explains a match and a miss on stored studies, and on a file, with the values', async () => {
    await tab('Test')
    await page.getByRole('button', { name: /Test, thin/ }).click()
    await page.getByRole('heading', { name: /^Test, thin/ }).waitFor()
    const verdict = page.getByRole('region', { name: /^Test, thin/ })
    await verdict.getByRole('status').getByText('Matched', { exact: true }).waitFor()
    await verdict.getByText('Taken').waitFor()
    await isUsable('test-match')
    await page.getByRole('button', { name: /Test, short/ }).click()
    const miss = page.getByRole('region', { name: /^Test, short/ })
    await miss.getByRole('status').getByText('No match', { exact: true }).waitFor()
    const line = miss.getByRole('listitem').filter({ hasText: 'Slice Thickness at most 3' }).last()
    await line.getByRole('img', { name: 'does not hold' }).waitFor()
    expect(await line.innerText()).toMatch(/SliceThickness\s+5/)
    await isUsable('test-miss')
    await page.getByLabel('DICOM file to test').setInputFiles(slices[0] as string)
    const file = page.getByRole('region', { name: path.basename(slices[0] as string) })
    await file.getByRole('listitem').filter({ hasText: 'Number of instances at least 20' }).last().waitFor()
    await file.getByRole('status').getByText('No match', { exact: true }).waitFor()
  })

  it('replays it, puts it in force, and returns to the version before', async () => {
    await tab('Replay')
    await page.getByRole('button', { name: 'Replay' }).click()
    await sees('Would have matched 1 of 2 studies; no version is in force to compare with.')
    await isUsable('replay')
    await page.getByRole('button', { name: 'Put in force…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Would have matched 1 of 2 studies').waitFor()
    await dialog.getByLabel('Why').fill('thin slices only')
    await dialog.getByRole('button', { name: 'Put it in force' }).click()
    await sees('Version 1 in force')
    await tab('Builder')
    await lines('Series ct').getByLabel('Value').last().fill('6')
    await saved()
    await lines('Series ct').getByLabel('Value').nth(1).fill('10')
    await saved()
    await page.getByRole('button', { name: 'Put in force…' }).click()
    await dialog.getByText(/Would have matched 2 of 2 studies; 1 differs from version 1/).waitFor()
    await dialog.getByText('Series ct: condition').waitFor()
    await isUsable('activate')
    await dialog.getByRole('button', { name: 'Put it in force' }).click()
    await sees('Version 2 in force')
    await tab('Versions')
    await sees('“thin slices only”')
    await page.getByText('What changed, compared with version 1').click()
    await page.locator('.diff ins').first().waitFor()
    await isUsable('versions')
    await page.getByRole('button', { name: 'Return to version 1' }).click()
    await dialog.getByRole('button', { name: 'Return to version 1' }).click()
    await sees('Version 1 in force')
    const { activeVersion } = await node.json<{ activeVersion: number }>('/api/routes/chest-ct')
    expect(activeVersion).toBe(1)
    await tab('Builder')
    expect(await text('Series ct').innerText()).toMatch(/SliceThickness <= 3$/)
  })

  it('tells kindly that somebody else has changed the draft, and keeps both', async () => {
    await page.getByLabel('In one sentence').fill('Mine')
    await saved()
    const response = await node.fetch('/api/routes/chest-ct/draft')
    const { definition } = (await response.json()) as { definition: object }
    const theirs = await node.fetch('/api/routes/chest-ct/draft', {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': response.headers.get('etag') ?? '' },
      body: JSON.stringify({ definition: { ...definition, description: 'Theirs' } }),
    })
    expect(theirs.status).toBe(200)
    await page.getByLabel('In one sentence').fill('Mine again')
    const alert = page.getByRole('alert').filter({ hasText: 'has changed this draft too' })
    await alert.getByRole('button', { name: 'Take theirs' }).click()
    expect(await page.getByLabel('In one sentence').inputValue()).toBe('Theirs')
    await page.getByLabel('In one sentence').fill('Agreed')
    await saved()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Throw the draft away…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Throw it away' }).click()
    await sees('The draft of chest-ct is thrown away.')
  })

  it('orders routes by the keyboard, switches them off and on, and takes YAML in', async () => {
    await page.getByRole('link', { name: 'Routes', exact: true }).first().click()
    await page.getByRole('button', { name: 'Ask chest-ct earlier' }).press('Enter')
    await sees('The order is changed.')
    expect((await node.json<{ names: string[] }>('/api/routes/order')).names).toEqual(['chest-ct', 'lung-density'])
    await page.getByRole('switch', { name: 'lung-density is on' }).press('Space')
    await sees('lung-density is off: it matches nothing.')
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await sees('lung-density is on.')
    await sees('of 2 studies')
    await isUsable('routes')
    const yaml = await (await node.fetch('/api/routes/export?name=chest-ct')).text()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Import YAML…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Or its text').fill(yaml.replace('chest-ct', 'other-ct').replace('CHEST', 'HEAD'))
    await isUsable('import')
    await dialog.getByRole('button', { name: 'Make drafts' }).click()
    await dialog.getByRole('link', { name: 'other-ct' }).click()
    await page.getByRole('heading', { name: 'other-ct' }).waitFor()
  })

  it('installs a model that was uploaded, after its questions', async () => {
    await page.getByRole('link', { name: 'Pipelines' }).click()
    await page.getByRole('link', { name: 'CT lung density' }).waitFor()
    await isUsable('pipelines')
    await page.getByRole('link', { name: 'Install a pipeline' }).click()
    await page
      .getByLabel('File of the pipeline')
      .setInputFiles(path.join(repository, 'models', 'ct-lung-density', 'model.onnx'))
    await page.getByLabel('What is it called?').fill('air')
    await page.getByLabel('Title, the beginning').fill('Air in the body')
    await page.getByLabel('Modality (').fill('CT')
    await page.getByText('Ready').waitFor()
    await isUsable('import-questions')
    await page.getByRole('button', { name: 'Install it' }).click()
    await page.getByRole('heading', { name: 'Air in the body' }).waitFor()
    await sees('Air in the body 1.0.0 is installed.')
    await page.getByRole('button', { name: 'Switch off…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Switch it off' }).click()
    await page.getByRole('button', { name: 'Switch on' }).waitFor()
    await page.goto(`${node.url}/admin/pipelines/ct-lung-density`)
    await page.getByRole('heading', { name: 'README' }).waitFor()
    await sees('Runs and failures')
    await isUsable('pipeline')
    expect(problems).toEqual([])
  })
})
