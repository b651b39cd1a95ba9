import { strict as assert } from 'node:assert'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { launch, openPage, until } from '../e2e/browser.mjs'
import { hear, hearNothing, id, toConsole, waitForTone } from '../e2e/pages.mjs'
import { demo, folder, password, press, pressEncrypted, register, serve, serveEncrypted } from './hub.mjs'

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

test('the demonstration: sign in, watch the first press of the story, look at its history', () => scene(async ({ page, path, stops }) => {
  const play = await demo(path)
  stops.push(() => play.stop())
  await toConsole(page, play.url, 'operator', play.password)
  await cards(page).first().waitFor({ timeout: 30_000 })
  await hear(page, 'the alarm')
  await page.keyboard.press('F2')
  await page.locator('[data-testid="p1-card"][data-acked="true"]').waitFor()
  await page.keyboard.press('Alt+2')
  await id(page, 'device-row').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('house-01')
  await until(async () => (await id(page, 'device-row').count()) === 1, 'one device found')
  await id(page, 'device-row').focus()
  await page.keyboard.press('Enter')
  await id(page, 'chart').first().waitFor({ timeout: 60_000 })
}))

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
