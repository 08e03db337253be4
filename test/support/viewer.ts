import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { adminToken } from './node-process.ts'

/** What OHIF shows in its first viewport. */
export interface Shown {
  /** Series of the images on the screen, or null where there are none. */
  series: string | null
  /** Part of the viewport that is not black, 0 to 1. */
  lit: number
  /** Words in the viewport, such as a report's. */
  text: string
  /** Words that belong to annotations over the images. */
  annotations: string
  /** Labels of the segmentation or structure set that is loaded. */
  segments: string[]
  /** Part of the viewport that has a colour, 0 to 1. */
  coloured: number
  /** Types of documents that are embedded: `application/pdf`. */
  documents: string[]
  /** Exceptions in the page, and requests that failed. */
  problems: string[]
}

/** OHIF, as a node serves it, in a real browser. */
export class Viewer {
  readonly #context: BrowserContext
  readonly #base: string

  private constructor(context: BrowserContext, base: string) {
    this.#context = context
    this.#base = base
  }

  /** @param base where the node is: `http://127.0.0.1:8080` */
  static async start(base: string): Promise<Viewer> {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: [
        '--headless=new',
        '--no-sandbox',
        '--use-gl=angle',
        '--use-angle=swiftshader',
        '--enable-unsafe-swiftshader',
        '--ignore-gpu-blocklist',
        '--disable-background-networking',
        '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
      ],
    })
    const context = await browser.newContext({
      viewport: { width: 1200, height: 800 },
      extraHTTPHeaders: { Authorization: `Bearer ${adminToken}` },
    })
    await context.addInitScript({ content: `globalThis.localStorage?.setItem('shownTours', '["basicViewerTour"]')` })
    return new Viewer(context, base)
  }

  async close(): Promise<void> {
    await this.#context.browser()?.close()
  }

  /**
   * Opens a study at a series and waits until what is shown satisfies a condition.
   * @returns what was shown at last, whether or not it does
   */
  async open(
    study: string,
    series: string,
    condition: (shown: Shown) => boolean,
    { seconds = 120, screenshot }: { seconds?: number; screenshot?: string | undefined } = {},
  ): Promise<Shown> {
    const page = await this.#context.newPage()
    const problems: string[] = []
    page.on('pageerror', ({ message }) => void (isRace(message) || problems.push(message)))
    page.on('response', (r) => void (r.status() >= 400 && problems.push(`HTTP ${r.status()} ${r.url()}`)))
    await page.goto(`${this.#base}/viewer?StudyInstanceUIDs=${study}&initialSeriesInstanceUID=${series}`)
    const end = Date.now() + seconds * 1000
    let shown = await shownIn(page, problems)
    while (!condition(shown) && Date.now() < end) {
      await page.waitForTimeout(500)
      shown = await shownIn(page, problems)
    }
    if (screenshot) await page.screenshot({ path: screenshot })
    await page.close()
    return shown
  }
}

/** OHIF 3.13 jumps to a slice of a viewport that it has just replaced by another; it shows the slice nonetheless. */
const isRace = (message: string): boolean => message.startsWith('The stack viewport has been destroyed')

/** What the viewer shows on a page now. */
export async function shownIn(page: Page, problems: string[] = []): Promise<Shown> {
  const pane = page.locator('[data-cy="viewport-pane"]').first()
  if ((await pane.count()) === 0)
    return { series: null, lit: 0, text: '', annotations: '', segments: [], coloured: 0, documents: [], problems }
  const picture = (await pane.screenshot()).toString('base64')
  const parts = await page.evaluate<Pick<Shown, 'lit' | 'coloured'>>(`(${partsOf})(${JSON.stringify(picture)})`)
  const held = await page.evaluate<Pick<Shown, 'series' | 'annotations' | 'segments' | 'documents'>>(`(${holdings})()`)
  return { ...parts, ...held, text: await pane.innerText(), problems }
}

// What runs in the page is text: its names are the browser's.

/** What OHIF and its page hold. */
const holdings = `() => {
  const imageId = globalThis.cornerstone?.getEnabledElements()[0]?.viewport.getCurrentImageId?.() ?? ''
  const loaded = globalThis.cornerstoneTools?.segmentation?.state?.getSegmentations?.() ?? []
  return {
    series: /series\\/([\\d.]+)/.exec(imageId)?.[1] ?? null,
    annotations: [...document.querySelectorAll('svg.svg-layer text')].map((text) => text.textContent).join(' '),
    segments: loaded.flatMap(({ segments }) => Object.values(segments).map(({ label }) => label)),
    documents: [...document.querySelectorAll('object[type], embed[type], iframe')].map((e) => e.type || e.tagName),
  }
}`

/** How much of a PNG is not black, and how much of it has a colour. */
const partsOf = `async (png) => {
  const image = new Image()
  image.src = 'data:image/png;base64,' + png
  await image.decode()
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
  const context = canvas.getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  let lit = 0
  let coloured = 0
  for (let i = 0; i < data.length; i += 4) {
    const rgb = [data[i], data[i + 1], data[i + 2]]
    if (rgb[0] + rgb[1] + rgb[2] > 150) lit++
    if (Math.max(...rgb) - Math.min(...rgb) > 40) coloured++
  }
  return { lit: (lit * 4) / data.length, coloured: (coloured * 4) / data.length }
}`
