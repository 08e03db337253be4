import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

export const chromiumPath = '/usr/bin/chromium'

/** By the processor, since the viewer draws with WebGL and no test can count on a graphics card. */
const drawing = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist']

/**
 * Debian's Chromium without a window, which reaches this machine alone.
 * @param options.draws whether pages need WebGL
 */
export function startBrowser({ draws = false }: { draws?: boolean } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless=new',
      '--no-sandbox',
      ...(draws ? drawing : ['--disable-gpu']),
      '--disable-background-networking',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
    ],
  })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string | null
  nodes: { target: string[]; failureSummary?: string }[]
}

/**
 * What axe finds serious or critical on a page as it is now, in light and in dark: one sentence each.
 * @param page whose colour scheme is that of the system
 * @param part CSS selector of what is looked at, on a page whose rest is not ours
 */
export async function accessibilityFaults(page: Page, part?: string): Promise<string[]> {
  const faults: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    if (part === undefined) await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor()
    await page.evaluate(axe)
    const violations = await page.evaluate<Violation[]>(
      `axe.run(${JSON.stringify(part ?? 'html')}).then(({ violations }) => violations)`,
    )
    for (const { id, impact, nodes } of violations)
      if (impact === 'serious' || impact === 'critical')
        faults.push(
          `${colorScheme}: ${id} at ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary ?? ''})`).join(', ')}`,
        )
  }
  await page.emulateMedia({ colorScheme: 'light' })
  return faults
}

/** True where the page is wider than its window, so that something would be cut off or scrolled sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > window.innerWidth')
}
