import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { World } from '../mock/world.mjs'
import { until } from './browser.mjs'
import { id, p1Card } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const lost = [/ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed|Failed to load resource/]

test('what the hub says is out of order is told in words, with the lag and the biggest senders, and goes when it is mended', () => scene(async ({ mock, console }) => {
  const page = await console()
  assert.equal(await id(page, 'health-banner').count(), 0)
  mock.health = { ready: true, lag: { messages: 39_201, seconds: 41.2 }, senders: [{ id: 'btn-001', lane: 'event', share: 0.81 }] }
  mock.stream.degraded = ['alerts_lag', 'something_new']
  mock.stream.beat()
  await id(page, 'health-lag').getByText('落后 39201 条，最早一条已等 42 秒').waitFor()
  await id(page, 'health-senders').getByText('btn-001 81%').waitFor()
  await id(page, 'health-banner').getByText('something_new').waitFor()
  assert.equal(await id(page, 'health-banner').getAttribute('data-grave'), 'false')
  mock.stream.degraded = ['journal_life']
  mock.stream.beat()
  await page.locator('[data-testid="health-banner"][data-grave="true"]').getByText('改用值班电话').waitFor()
  mock.stream.degraded = []
  mock.stream.beat()
  await until(async () => (await id(page, 'health-banner').count()) === 0, 'the banner is gone')
}))

test('the log of events survives a reload', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.press('btn-001')
  mock.world.press('btn-002')
  const lines = id(page, 'event-log').locator('[data-kind]')
  await until(async () => (await lines.count()) === 2, 'both are logged')
  await page.reload()
  await until(async () => (await lines.count()) === 2, 'both are logged after the reload')
}))

test('every screen opens after the hub is gone, in both languages', () => scene(async ({ mock, open, password }) => {
  const { toConsole } = await import('./pages.mjs')
  const { page } = await open({ allowed: lost })
  await toConsole(page, mock.url, 'gao', password)
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  await until(() => page.evaluate(() => ['IncidentView', 'DeviceView', 'MapView', 'SeriesChart', 'leaflet', 'en-'].every((name) => performance.getEntriesByType('resource').some((entry) => entry.name.includes(name)))), 'all pieces are fetched')
  await until(() => mock.requests.some((request) => request.path.endsWith('/areas/map')), 'the borders are fetched')
  await page.waitForTimeout(500)
  await mock.close()
  await id(page, 'open-incident').click()
  await id(page, 'incident-head').waitFor()
  for (const [key, name] of [['Alt+2', 'device-row'], ['Alt+3', 'area-spot'], ['Alt+4', 'point'], ['Alt+5', 'list-deadletters'], ['Alt+1', 'p1-card']]) {
    await page.keyboard.press(key)
    await id(page, name).first().waitFor()
  }
  await id(page, 'language').click()
  await page.getByText('Elder call').first().waitFor()
}))

test('ten thousand devices fold to what is abnormal, and the selected call stays in view', () => scene(async ({ mock, console }) => {
  const page = await console()
  const life = mock.world.press('btn-127')
  for (let i = 0; i < 200; i++) mock.world.raise(`btn-${300 + i}`, 'EB-OFFLINE')
  await p1Card(page, life.id).click()
  await page.locator('[data-testid="fleet"][data-folded="true"]').waitFor()
  await until(async () => (await id(page, 'cells').locator('.cell').count()) > 0, 'what is abnormal is drawn')
  assert.ok((await id(page, 'cells').locator('.cell').count()) <= 96, 'and no more than a glance takes')
  const box = await id(page, 'panel-state').boundingBox()
  assert.ok(box && box.y + box.height < 900, 'the selected call is on the screen')
}, { world: new World({ buttons: 9_800 }) }))

test('a long place shows its floor and room in the row, the card and the panel', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.changeDevice('btn-127', { name: '浦东新区沪东新村街道东波路一百二十弄东波苑第三居民小区28号楼乙单元17层1703室' })
  const life = mock.world.press('btn-127')
  await p1Card(page, life.id).click()
  for (const width of [1440, 1024, 360]) {
    await page.setViewportSize({ width, height: 740 })
    const cut = await page.evaluate(() => [...document.querySelectorAll(':is([data-testid="incident-row"], [data-testid="p1-card"], [data-testid="quick-panel"]) :is(.tail, .whole)')].filter((element) => element.textContent.includes('1703'))
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline').map((element) => element.className))
    assert.deepEqual(cut, [], `at ${width}`)
  }
}))

test('on a telephone what is to be done stands above the timeline, and the sorting board shows levels and state', () => scene(async ({ mock, console }) => {
  const page = await console('li', { viewport: { width: 360, height: 740 } })
  const life = mock.world.press('btn-127')
  await p1Card(page, life.id).click()
  await id(page, 'open-incident').click()
  await page.locator('[data-testid="timeline"] li').first().waitFor()
  const [ack, story] = [await id(page, 'ack').boundingBox(), await id(page, 'timeline').boundingBox()]
  assert.ok(ack.y < story.y)
  await page.keyboard.press('Alt+4')
  await id(page, 'point').first().waitFor()
  for (const name of ['fill', 'point-state', 'full-at']) {
    const box = await id(page, 'point').first().locator(`[data-testid="${name}"]`).first().boundingBox()
    assert.ok(box && box.width > 20 && box.x >= 0 && box.x + box.width <= 360, name)
  }
}))

test('on a telephone the log of events names the place', () => scene(async ({ mock, console }) => {
  const page = await console('li', { viewport: { width: 360, height: 740 } })
  mock.world.press('btn-127')
  const where = id(page, 'event-log').locator('.where').first()
  await where.waitFor()
  const seen = await where.evaluate((element) => {
    const box = element.getBoundingClientRect()
    return { width: box.width, right: box.right, text: element.innerText }
  })
  assert.ok(seen.width > 200 && seen.right <= 360, JSON.stringify(seen))
  assert.match(seen.text, /一键呼叫/)
}))

test('devices that nobody has registered are one call with a list of the first of them', () => scene(async ({ mock, console }) => {
  const page = await console()
  const ids = Array.from({ length: 20 }, (_, i) => `24e124ffff${String(i).padStart(6, '0')}`)
  const call = mock.world.press('gw-01')
  mock.world.step(call, 'occurrence', 'engine', { rule: 'EB-UNREG', badges: ['unknown_place'], strangers: { count: 26, ids } }, { same: true })
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 800 })
    await page.goto(`${mock.url}/`)
    await p1Card(page, call.id).locator('.what').click()
    for (const screen of ['panel', 'incident']) {
      const list = id(page, 'strangers')
      await list.getByText('未登记设备 26 台').click()
      assert.deepEqual(await list.locator('li').allInnerTexts(), ids, `${screen} at ${width}`)
      await list.getByText('另 6 台').waitFor()
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${screen} at ${width} scrolls sideways`)
      if (screen === 'panel') await id(page, 'open-incident').click()
      await id(page, screen === 'panel' ? 'incident-head' : 'strangers').waitFor()
    }
  }
}))
