import { strict as assert } from 'node:assert'
import { after, before, test } from 'node:test'
import { launch, openPage } from '../e2e/browser.mjs'
import { id, signIn, startShift, waitForTone } from '../e2e/pages.mjs'
import { strangers } from '../e2e/words.mjs'
import { demo, folder } from './hub.mjs'

let browser, place, play
before(async () => {
  place = await folder()
  play = await demo(place.path)
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await play?.stop()
  await place?.remove()
})

/** Names of devices (ids of those without one) and people's places, longest first: a label cannot tell the language of its parts. */
async function namesOf(page) {
  const { devices } = await page.evaluate(async () => (await fetch('/api/v1/snapshot')).json())
  return devices.map(({ id: own, name }) => name || own).filter(Boolean).sort((a, b) => b.length - a.length)
}

for (const locale of ['zh-CN', 'en']) {
  test(`no screen of the running demonstration has a word of the other language: ${locale}`, async () => {
    // The account of a bridge has neither readings nor an entry that may be changed here: both are asked for and not found.
    const { page, finish } = await openPage(browser, { locale, allowed: [/status of 404/] })
    const found = []
    let names = []
    const check = async (screen) => found.push(...(await strangers(page, locale, ['operator', 'bridge', 'chirpstack'], names)).map((text) => `${screen}: ${text}`))
    await signIn(page, play.url, 'operator', play.password)
    names = await namesOf(page)
    await check('start of shift')
    await startShift(page)
    await waitForTone(page, 'live')
    await id(page, 'p1-card').first().waitFor({ timeout: 60_000 })
    await id(page, 'p1-card').first().locator('.what').click()
    await check('console')
    await id(page, 'open-incident').click()
    await page.locator('[data-testid="timeline"] li').first().waitFor()
    await check('incident')
    for (const [key, first] of [['Alt+2', 'device-row'], ['Alt+3', 'area-spot'], ['Alt+4', 'point']]) {
      await page.keyboard.press(key)
      await id(page, first).first().waitFor()
      await check(first)
    }
    await page.goto(`${play.url}/devices/house-01`)
    await id(page, 'device-head').waitFor()
    await check('device')
    await page.goto(`${play.url}/devices/bridge-chirpstack`)
    await id(page, 'device-head').getByText(locale === 'en' ? 'Bridge' : '网桥', { exact: true }).waitFor()
    await check('bridge')
    assert.deepEqual(found, [])
    await finish()
  })
}
