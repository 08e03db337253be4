import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sendInstances } from '../../src/dimse/send.ts'
import { accessibilityFaults, chromiumPath, isTooWide, startBrowser } from '../support/browser.ts'
import { adminToken, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available } from '../support/programs.ts'

describe.skipIf(!available(chromiumPath))('how the node is run from its page, in a real browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-node-page-'))
  // Where screenshots are wanted, to be looked at.
  const shots = process.env.HILUM_SCREENSHOTS
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.5' })
  const problems: string[] = []
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    await node.start()
    browser = await startBrowser()
    page = await newPage()
    await page.goto(`${node.url}/admin/queue`)
    await logIn(page, { name: 'admin', password: node.firstPassword })
  })
  afterAll(async () => {
    await browser?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  afterEach(async ({ task }) => {
    if (shots && task.result?.state === 'fail') await page.screenshot({ path: path.join(shots, 'failed.png') })
  })

  async function newPage(): Promise<Page> {
    const made = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage()
    made.on('pageerror', (error) => problems.push(error.message))
    made.on('console', (message) => {
      // Whether somebody is logged in is answered with 401 at first: the browser says so on its console.
      if (message.type() === 'error' && !/\b(401|404)\b/.test(message.text())) problems.push(message.text())
    })
    return made
  }
  /** With a one-time password, which is changed. */
  async function logIn(on: Page, { name, password }: { name: string; password: string }) {
    await on.getByLabel('User name').fill(name)
    await on.getByLabel('Password', { exact: true }).fill(password)
    await on.getByRole('button', { name: 'Log in' }).click()
    await on.getByLabel('New password').fill('correct horse battery')
    await on.getByLabel('The same again').fill('correct horse battery')
    await on.getByRole('button', { name: 'Set the password' }).click()
  }
  /** What is shown works for everybody, in both schemes and in a narrow window too. */
  const isUsable = async (name: string) => {
    expect(await accessibilityFaults(page)).toEqual([])
    for (const width of [1400, 900, 420]) {
      await page.setViewportSize({ width, height: 900 })
      // Charts follow the width of their place a moment later.
      await expect.poll(() => isTooWide(page), { message: `${name} at ${width} px` }).toBe(false)
      for (const colorScheme of shots && width > 500 ? (['light', 'dark'] as const) : []) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.screenshot({ path: path.join(shots ?? '', `${name}-${width}-${colorScheme}.png`), fullPage: true })
      }
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1400, height: 900 })
  }
  const sees = (text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 30_000 })
  const go = async (name: string, title = name) => {
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
  }
  const press = (name: string | RegExp) => page.getByRole('button', { name }).first().click()
  const dialog = () => page.getByRole('dialog')

  it('pauses inferences, and says what waits and why', async () => {
    await sees('Nothing has failed.')
    await press('Pause…')
    await dialog().getByLabel('What').selectOption('infer')
    await dialog().getByLabel('Why').fill('The GPU is being replaced')
    await dialog().getByRole('button', { name: 'Pause' }).click()
    await sees('The GPU is being replaced')
    const files = await writePhantom(folder, chestPhantom({ slices: 100, rows: 128, columns: 128 }), {
      elements: { PatientAge: '061Y', PatientSex: 'F', BodyPartExamined: 'CHEST' },
    })
    const peer = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM' }
    expect((await sendInstances({ ...peer, files })).stored).toBe(100)
    await press('Waiting')
    await page.getByRole('row', { name: /ct-lung-density/ }).waitFor({ timeout: 30_000 })
    await isUsable('queue')
  })

  it('ends a job, retries what failed for the same reason, and resumes what was paused', async () => {
    await press(/^Actions on/)
    await page.getByRole('menuitem', { name: 'End the job…' }).click()
    await dialog().getByRole('button', { name: 'End the job' }).click()
    await sees('Ended by somebody')
    await press('Retry 1 job')
    await sees('1 job is queued again.')
    await press('Resume')
    await sees('It goes on.')
    await press('Done')
    await page.getByRole('row', { name: /ct-lung-density/ }).waitFor({ timeout: 30_000 })
    expect(problems).toEqual([])
  })

  it('tries a destination before it is added, explains what fails, and tests it afterwards', async () => {
    await go('Destinations')
    await press('Add a destination')
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('archive')
    await dialog().getByLabel('Address').fill('http://127.0.0.1:9/dicom-web')
    await dialog().getByRole('button', { name: 'Try it' }).click()
    await dialog().getByRole('img', { name: 'Failed' }).first().waitFor()
    await isUsable('destination-try')
    await dialog().getByLabel('Address').fill(`${node.url}/dicomweb`)
    await dialog().getByLabel('Login').selectOption('bearer')
    await dialog()
      .getByLabel(/^Token/)
      .fill(adminToken)
    await dialog().getByRole('button', { name: 'Add', exact: true }).click()
    await sees('archive is added')
    await press('Test archive')
    await dialog().getByRole('img', { name: 'Passed' }).first().waitFor()
    expect(await dialog().getByRole('img', { name: 'Failed' }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'hidden' })
    await isUsable('destinations')
    await press('Change archive')
    await dialog().getByRole('button', { name: 'More' }).click()
    await dialog().getByLabel('Time for one request').fill('90')
    await dialog().getByRole('button', { name: 'Save' }).click()
    await sees('archive is changed.')
    await press('Remove archive')
    await dialog().getByRole('button', { name: 'Remove archive' }).click()
    await sees('archive is removed.')
    expect(problems).toEqual([])
  })

  it('adds a sender before it calls, changes it and asks it by C-ECHO', async () => {
    await go('Senders')
    await press('Add a sender')
    await dialog().getByLabel('AE title').fill('CT7')
    await dialog().getByLabel('Listens at').fill('127.0.0.1')
    await dialog().getByLabel('Port').fill('9')
    await dialog().getByRole('button', { name: 'Add', exact: true }).click()
    await sees('CT7 may call now.')
    await press('C-ECHO')
    await dialog().getByRole('img', { name: 'Failed' }).waitFor()
    await isUsable('sender-echo')
    await page.keyboard.press('Escape')
    await press('Change CT7')
    await dialog().getByLabel('fetch').check()
    await dialog().getByRole('button', { name: 'Save' }).click()
    await sees('CT7 is changed.')
    await expect.poll(() => page.getByRole('row', { name: /^CT7/ }).innerText()).toMatch(/send, fetch/)
  })

  it('adds a user with a one-time password, who sees what the role includes', async () => {
    await go('Users', 'Users and tokens')
    await press('Add a user')
    await dialog().getByLabel('User name').fill('anna')
    await dialog().getByLabel('Viewer').check()
    await dialog().getByRole('button', { name: 'Add', exact: true }).click()
    const shown = page.getByRole('dialog', { name: 'One-time password of anna' })
    const password = await shown.locator('.copyable').innerText()
    await isUsable('one-time-password')
    await press('I have it')
    await sees('One-time password')
    await isUsable('users')
    const other = await newPage()
    await other.goto(`${node.url}/admin/queue`)
    await logIn(other, { name: 'anna', password: password.trim() })
    await other.getByRole('heading', { name: 'Queue', level: 1 }).waitFor()
    await other.getByText('Nothing has failed.').waitFor()
    expect(await other.getByRole('button', { name: 'Pause…' }).count()).toBe(0)
    expect(await other.getByRole('link', { name: 'Audit' }).count()).toBe(0)
    await other.goto(`${node.url}/admin/audit`)
    await other.getByText('Your role does not include this page').waitFor()
    await other.context().close()
    await press('Sessions')
    await page.getByRole('row', { name: /anna/ }).waitFor()
    await isUsable('sessions')
    await press('End the session of anna')
    await sees('The session of anna is ended.')
  })

  it('makes a token for one purpose, which can do that and nothing else, and revokes it', async () => {
    await press('Tokens')
    await press('Make a token')
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('monitor')
    await dialog().getByLabel('Only what is chosen').check()
    await dialog().getByLabel('see what the node does').check()
    await isUsable('token')
    await dialog().getByRole('button', { name: 'Make it' }).click()
    const secret = (await page.locator('.access-secret .copyable').innerText()).trim()
    const ask = (what: string) =>
      fetch(`${node.url}/api${what}`, { headers: { authorization: `Bearer ${secret}` } }).then(({ status }) => status)
    expect(await ask('/queue')).toBe(200)
    expect(await ask('/users')).toBe(403)
    await press('I have it')
    await isUsable('tokens')
    await press('Revoke monitor')
    await dialog().getByRole('button', { name: 'Revoke monitor' }).click()
    await sees('monitor is revoked.')
    expect(await ask('/queue')).toBe(401)
    expect(problems).toEqual([])
  })

  it('finds in the audit who did what, and proves that it is whole', async () => {
    await go('Audit')
    await press('Verify')
    await sees('The audit is whole')
    await page.getByLabel('What', { exact: true }).selectOption('user-create')
    await page.getByRole('row', { name: /anna viewer/ }).waitFor()
    expect(new URL(page.url()).search).toBe('?action=user-create')
    await press(/^Details of entry/)
    await sees('DICOM audit message')
    await isUsable('audit')
    await page.getByRole('textbox', { name: 'Who' }).fill('nobody')
    await sees('No entry matches')
    expect(problems).toEqual([])
  })

  it('shows every setting with where it comes from', async () => {
    await go('Settings')
    await page.getByLabel('Search the settings').fill('assemble.release')
    await sees('variable HILUM_ASSEMBLE_RELEASE')
    await page.getByLabel('Search the settings').fill('')
    await page.getByLabel('Only what differs from the default').check()
    await sees('variable HILUM_ASSEMBLE_RELEASE')
    await isUsable('settings')
    expect(problems).toEqual([])
  })

  it('shows what was found: a picture, and the numbers behind it', async () => {
    await go('Insights')
    await page.locator('.recharts-surface').first().waitFor()
    await sees('Distribution')
    await isUsable('insights')
    await press('Distribution: table')
    await page.getByRole('region', { name: 'Distribution, as a table' }).waitFor()
    await press('Volumes')
    await sees('With a result')
    await isUsable('insights-volumes')
    await press('Readers')
    await sees('No reader has said anything')
    await press('Drift')
    await sees(/Drift was not evaluated yet|Too few to tell/)
    await press('Evaluate now')
    await sees('The drift is evaluated.')
    await isUsable('insights-drift')
    expect(problems).toEqual([])
  })

  it('tells a webhook of failures: target, words with a preview, test', async () => {
    await go('Notifications')
    await sees('Nobody is told of anything yet')
    await press('Add a target')
    await dialog().getByLabel('By a webhook').check()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('Chat')
    await dialog().getByLabel('Address').fill('http://127.0.0.1:9/hook')
    await isUsable('notification-target')
    await dialog().getByRole('button', { name: 'Add', exact: true }).click()
    await sees('Chat is added')
    await press('Tell it of something: Chat')
    await dialog().getByLabel('Words of its own').check()
    await dialog().getByLabel('Subject').fill('Please look: {{sentence}}')
    await dialog().getByRole('button', { name: 'Preview' }).click()
    await dialog()
      .getByRole('region', { name: 'Preview' })
      .getByText(/^Please look: [^{]/)
      .waitFor()
    await isUsable('notification-words')
    await dialog().getByRole('button', { name: 'Tell it' }).click()
    await sees('Something has failed')
    await press('Test Chat')
    await dialog().getByRole('img', { name: 'Failed' }).first().waitFor()
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'hidden' })
    await isUsable('notifications')
    await press('Log')
    await page.getByRole('region', { name: 'Log' }).waitFor()
    expect(problems).toEqual([])
  })

  it('shows what runs by schedule, changes when, and runs it now', async () => {
    await go('Schedules')
    const row = page.getByRole('row', { name: /audit/i }).first()
    await row.getByRole('button', { name: /^Change/ }).click()
    await dialog().getByLabel('When').fill('15 4 * * 1')
    await sees('every Monday at 04:15')
    await dialog().getByRole('button', { name: 'Save' }).click()
    await row.getByText('every Monday at 04:15').waitFor()
    await row.getByRole('button', { name: /^Run now/ }).click()
    await row.getByText(/Done|Running/).waitFor()
    await isUsable('schedules')
    await row.getByRole('button', { name: /^Runs of/ }).click()
    await dialog().getByText('asked for by admin').waitFor()
    expect(problems).toEqual([])
  })
})
