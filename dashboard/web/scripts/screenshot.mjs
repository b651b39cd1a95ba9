// Takes the picture of README from the real page: node scripts/screenshot.mjs FILE. It starts the demonstration and waits for its story.
import { launch, openPage } from '../test/e2e/browser.mjs'
import { id, toConsole } from '../test/e2e/pages.mjs'
import { demo, folder } from '../test/hub/hub.mjs'

const place = await folder()
const play = await demo(place.path)
const browser = await launch()
try {
  const { page } = await openPage(browser, { viewport: { width: 1760, height: 1000 } })
  await toConsole(page, play.url, 'operator', play.password)
  await id(page, 'p1-card').first().waitFor({ timeout: 60_000 })
  await page.keyboard.press('F2')
  await id(page, 'p1-card').nth(1).waitFor({ timeout: 90_000 })
  await page.waitForTimeout(1500)
  await page.screenshot({ path: process.argv[2] })
} finally {
  await browser.close()
  await play.stop()
  await place.remove()
}
