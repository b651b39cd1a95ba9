import { strict as assert } from 'node:assert'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { launch, openPage, until } from '../e2e/browser.mjs'
import { hear, hearNothing, id, toConsole, waitForTone } from '../e2e/pages.mjs'
import { demo, folder, password, press, pressEncrypted, register, secret, serve, serveEncrypted } from './hub.mjs'

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

/** Gives `body` a temporary folder and a page, and closes everything again. `stops` collects what must be ended. */
async function scene(body, allowed, trusting) {
  const place = await folder()
  const session = await openPage(browser, { allowed, trusting })
  const stops = []
  try {
    await body({ page: session.page, path: place.path, stops })
    await session.finish()
  } finally {
    await session.context.close().catch(() => {})
    for (const stop of stops.reverse()) await stop()
    await place.remove()
  }
}

const cards = (page) => id(page, 'p1-card')
const cardOf = (page, name) => page.locator('[data-testid="p1-card"]', { hasText: name })

// While the hub is dead the browser itself reports the failed connections.
const lostConnection = [/ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed|Failed to load resource/]

test('a press is seen, heard and acknowledged; the hub is killed mid-way; nothing is lost or doubled', () => scene(async ({ page, path, stops }) => {
  const data = join(path, 'data')
  await register(data, 'emergency_button', 'btn-1', 'btn-2')
  let hub = await serve(data)
  stops.push(() => hub.kill())
  await toConsole(page, hub.url, 'admin', password)

  await press(hub.mqtt, 'btn-1', 1)
  await cardOf(page, 'btn-1').waitFor()
  await hear(page, 'the alarm')
  await page.keyboard.press('F2')
  await page.locator('[data-testid="p1-card"][data-acked="true"]').waitFor()
  await hearNothing(page)

  await hub.kill()
  const pressed = press(hub.mqtt, 'btn-2', 1)
  await until(async () => (await id(page, 'link-chip').getAttribute('data-tone')) !== 'live', 'the page says that the link is gone', 20_000)
  assert.equal(await id(page, 'none-unacked').count(), 0, 'a page without a link does not say that all is well')
  hub = await serve(data, hub.http, hub.mqtt)
  await pressed

  await waitForTone(page, 'live', 20_000)
  await cardOf(page, 'btn-2').waitFor()
  await hear(page, 'the alarm of the press during the outage')
  assert.equal(await cards(page).count(), 2)
  assert.equal(await page.locator('[data-testid="p1-card"][data-acked="true"]').count(), 1, 'the acknowledgement survived')

  await press(hub.mqtt, 'btn-1', 1)
  await press(hub.mqtt, 'btn-1', 2)
  await cardOf(page, 'btn-1').getByText('2 次').waitFor()
  assert.equal(await cards(page).count(), 2, 'a redelivery and a second press make no third card')
}, lostConnection))

test('the demonstration: sign in, watch the first press of the story, look at map, board and history', () => scene(async ({ page, path, stops }) => {
  const play = await demo(path)
  stops.push(() => play.stop())
  await toConsole(page, play.url, 'operator', play.password)
  await cards(page).first().waitFor({ timeout: 30_000 })
  await hear(page, 'the alarm')
  await page.keyboard.press('F2')
  await page.locator('[data-testid="p1-card"][data-acked="true"]').waitFor()

  await page.keyboard.press('Alt+3')
  await page.locator('[data-testid="spot"][data-priority="1"]').first().waitFor()
  await id(page, 'area-spot').first().focus()
  await page.keyboard.press('Enter')
  await id(page, 'spot-card').waitFor()
  assert.equal(await id(page, 'nearest-houses').locator('li').count(), 3)
  assert.equal(await id(page, 'doubtful-places').count(), 0, 'every device of the example lies in a committee')

  await page.keyboard.press('Alt+4')
  await id(page, 'point-count').getByText('114 / 114').waitFor()
  await id(page, 'fill').first().waitFor({ timeout: 30_000 })
  assert.equal(await id(page, 'forecast-failed').count(), 0)

  await page.keyboard.press('Alt+2')
  await id(page, 'device-row').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('house-01')
  await until(async () => (await id(page, 'device-row').count()) === 1, 'one device found')
  await id(page, 'device-row').focus()
  await page.keyboard.press('Enter')
  await id(page, 'chart').first().waitFor({ timeout: 60_000 })
  await id(page, 'device-head').getByText('平安屋', { exact: true }).waitFor()
}))

test('a device that is registered on the page can call at once; a file with faults changes nothing', () => scene(async ({ page, path, stops }) => {
  const hub = await serve(join(path, 'data'))
  stops.push(() => hub.stop())
  await toConsole(page, hub.url, 'admin', password)
  await page.keyboard.press('Alt+2')
  await id(page, 'device-add').click()
  await id(page, 'device-dialog').waitFor()
  await page.locator('#device-id').fill('btn-7')
  await page.locator('#device-kind').selectOption('emergency_button')
  await page.locator('#device-gateway').fill('nowhere')
  await page.locator('#device-secret').fill(secret)
  await page.keyboard.press('Control+Enter')
  await until(() => page.evaluate(() => document.activeElement?.id === 'device-gateway'), 'the hub names the faulty field')
  await page.locator('#device-gateway').fill('')
  await page.keyboard.press('Control+Enter')
  await page.waitForURL('**/devices/btn-7')
  await press(hub.mqtt, 'btn-7', 1)
  await id(page, 'counter-p1').getByText('1', { exact: true }).first().waitFor()
  await id(page, 'last-message').waitFor()
  await id(page, 'message-reload').click()
  await id(page, 'last-message').getByText('"type": "sos"').waitFor()

  await page.keyboard.press('Alt+2')
  await id(page, 'device-import').click()
  const choose = (text) => id(page, 'import-file').setInputFiles({ name: 'devices.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await choose('id,kind,lat,lon\ngar-1,garage,,\ngar-2,garage,north,121\n')
  await id(page, 'import-preview').waitFor()
  await page.keyboard.press('Control+Enter')
  await id(page, 'import-faults').locator('tr', { hasText: 'north' }).getByText('3', { exact: true }).waitFor()
  await choose('id,kind\ngar-1,garage\n')
  await until(async () => (await id(page, 'import-faults').count()) === 0, 'the second file')
  await page.keyboard.press('Control+Enter')
  await id(page, 'secret').waitFor()
  await page.keyboard.press('Escape')
  await until(async () => (await id(page, 'device-row').count()) === 2, 'the garage is in the list')
  await page.keyboard.press('Alt+5')
  await id(page, 'letters-empty').getByText('没有死信').waitFor()
}, [/status of 422/, /status of 503/]))

test('over HTTPS and MQTT over TLS: a press of a button with a certificate is seen, heard and acknowledged', () => scene(async ({ page, path, stops }) => {
  const data = join(path, 'data')
  await register(data, 'emergency_button', 'btn-1')
  const hub = await serveEncrypted(path, data, 'btn-1')
  stops.push(() => hub.stop())
  await toConsole(page, hub.url, 'admin', password)
  await pressEncrypted(hub, 'btn-1', 1)
  await cardOf(page, 'btn-1').waitFor()
  await hear(page, 'the alarm')
  await page.keyboard.press('F2')
  await page.locator('[data-testid="p1-card"][data-acked="true"]').waitFor()
}, [], true))
