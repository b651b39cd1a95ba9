import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { axeFindings, until } from './browser.mjs'
import { id, p1Card } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const refusals = [/Failed to load resource/, /net::ERR/]
const spotOf = (page, name) => page.locator(`[data-testid="spot"][title*="${name}"]`)

async function toMap(page) {
  await page.keyboard.press('Alt+3')
  await id(page, 'spot').first().waitFor({ state: 'attached' })
}

/** Where the centre of the drawn borders is on the screen. */
const view = (page) => page.evaluate(() => {
  const box = document.querySelector('.leaflet-container path.area').getBoundingClientRect()
  return [box.left, box.top, box.width].map(Math.round).join(' ')
})

test('the map is grey until something needs a person, and only that is a tab stop', () => scene(async ({ mock, console }) => {
  const page = await console()
  await toMap(page)
  await id(page, 'map-empty').getByText('无异常点位').waitFor()
  assert.equal(await page.locator('[data-testid="spot"][tabindex]').count(), 0)
  assert.ok(await page.locator('[data-testid="spot"]').count() > 200, 'buttons of a building share one marker')
  mock.world.press('btn-127')
  const spot = spotOf(page, '博兴 8号')
  await spot.and(page.locator('[data-priority="1"]')).waitFor()
  assert.equal(await page.locator('[data-testid="spot"][tabindex="0"]').count(), 1)
  assert.match(await spot.getAttribute('aria-label'), /紧急 1 · 博兴 8号 · 2 台 · 一键呼叫 · 未受理/)
}))

test('by keyboard: the list leads to the point, the card to the incident', () => scene(async ({ mock, console }) => {
  const page = await console()
  await toMap(page)
  const incident = mock.world.press('btn-127')
  await id(page, 'area-spot').waitFor()
  assert.equal(await page.locator('[data-testid="area"]').first().getAttribute('data-open'), '1', 'its committee is first')
  await id(page, 'area').first().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await id(page, 'spot-card').waitFor()
  assert.equal(await id(page, 'nearest-houses').locator('li').count(), 3)
  assert.equal(await page.locator('.leaflet-container path.way').count(), 3, 'a line to each of them')
  const shown = await id(page, 'nearest-houses').locator('b').allTextContents()
  const lengths = shown.map((text) => Number(/\d+/.exec(text)[0]))
  assert.deepEqual(lengths, [...lengths].sort((a, b) => a - b))
  await page.keyboard.press('Escape')
  await id(page, 'spot-card').waitFor({ state: 'detached' })
  await until(() => page.evaluate(() => document.activeElement?.dataset.testid === 'spot'), 'the focus is on the marker')
  await page.keyboard.press('Enter')
  await until(() => page.evaluate(() => document.activeElement?.dataset.testid === 'spot-open'), 'the focus is on the card')
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/i/${incident.id}`)
}))

test('the view stays where the hand left it, unless it follows emergencies; 0 shows all', () => scene(async ({ mock, console }) => {
  const page = await console()
  await toMap(page)
  const all = await view(page)
  await id(page, 'zoom-in').click()
  await until(async () => (await view(page)) !== all, 'closer')
  await page.waitForTimeout(400)
  const mine = await view(page)
  mock.world.press('btn-127')
  await spotOf(page, '博兴 8号').and(page.locator('[data-priority="1"]')).waitFor({ state: 'attached' })
  assert.equal(await view(page), mine, 'a press does not move the map')
  await page.keyboard.press('Alt+1')
  await id(page, 'tab-new').waitFor()
  await page.keyboard.press('Alt+3')
  await id(page, 'map').waitFor()
  assert.equal(await view(page), mine, 'neither do other screens')
  await id(page, 'follow').check()
  mock.world.press('btn-001')
  await id(page, 'spot-card').getByText('莱阳 2号').first().waitFor()
  assert.notEqual(await view(page), mine)
  await page.locator('.leaflet-container').focus()
  await page.keyboard.press('0')
  await until(async () => (await view(page)) === all, 'everything is shown')
}))

test('what can not be shown is listed: no coordinates, coordinates outside, no basemap', () => scene(async ({ mock, console }) => {
  mock.world.changeDevice('btn-005', { lat: null, lon: null })
  mock.world.changeDevice('sh-03', { lat: 31.31 })
  mock.fault['/map/basemap'] = { status: 503, code: 'unavailable' }
  const page = await console('li', { allowed: refusals })
  await toMap(page)
  await id(page, 'unplaced').getByText('无坐标设备 1 台').click()
  await id(page, 'unplaced').locator('a').waitFor()
  await id(page, 'doubtful-places').getByText('坐标可疑 1 处').waitFor()
  await id(page, 'basemap-failed').getByText('底图不可用').waitFor()
  assert.ok(await page.locator('.leaflet-container path.area').count() === 8, 'our own borders stay')
  delete mock.fault['/map/basemap']
  await id(page, 'basemap-retry').click()
  await page.locator('[data-testid="map"][data-basemap="none"]').waitFor()
}))

test('layers hide what is normal and never what is not', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.press('btn-127')
  await toMap(page)
  await id(page, 'layer-button').uncheck()
  await until(async () => (await spotOf(page, '号').count()) > 0 && (await page.locator('[data-testid="spot"][title*="一键呼叫"]').count()) === 1, 'only the pressed one is left')
  assert.equal(await spotOf(page, '洪安 3号').count(), 0)
}))

test('a dead link hatches every marker and nothing is called normal', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: [...refusals, /WebSocket/] })
  await toMap(page)
  mock.stream.fault = 'black-hole'
  await page.locator('[data-testid="map"][data-stale="true"]').waitFor({ timeout: 18_000 })
  await until(async () => (await page.locator('.spot:not(.doubtful)').count()) === 0, 'all hatched')
  assert.equal(await id(page, 'map-empty').getByText('无异常点位').count(), 0)
}))

test('tiles of an archive are drawn below everything', () => scene(async ({ mock, console }) => {
  mock.basemap = { url: '/api/v1/map/tiles.pmtiles', crs: 'gcj02' }
  const page = await console()
  await toMap(page)
  await page.locator('[data-testid="map"][data-basemap="shown"]').waitFor()
  await page.locator('.leaflet-tile-loaded').first().waitFor({ state: 'attached' })
  await page.getByText('Tiles by nobody').waitFor()
}))

test('a duty desk has a small map beside the list: what is abnormal, and the way to help', () => scene(async ({ mock, console }) => {
  const page = await console('li', { viewport: { width: 1920, height: 1080 } })
  const [first, second] = [mock.world.press('btn-127'), mock.world.press('btn-001')]
  await p1Card(page, second.id).click()
  const mini = id(page, 'mini-map')
  await mini.locator('[data-testid="spot"][data-priority="1"]').nth(1).waitFor()
  assert.equal(await mini.locator('[data-testid="spot"]').count(), 5, 'two calls and the three houses near the selected one')
  await mini.locator('[data-testid="spot"][title*="博兴 8号"]').click()
  await page.locator(`[data-testid="quick-panel"][data-id="${first.id}"]`).waitFor()
  assert.deepEqual(await axeFindings(page), [])
  await page.setViewportSize({ width: 1366, height: 768 })
  await mini.waitFor({ state: 'detached' })
}))
