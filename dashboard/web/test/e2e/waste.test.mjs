import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { id } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const refusals = [/Failed to load resource/, /net::ERR/, /WebSocket/]
const point = (page, device) => page.locator(`[data-testid="point"][data-id="${device}"]`)

async function toBoard(page) {
  await page.keyboard.press('Alt+4')
  await id(page, 'point').first().waitFor()
}

test('the board follows the devices, puts the full first and opens by keyboard', () => scene(async ({ mock, console }) => {
  const page = await console()
  await toBoard(page)
  await id(page, 'point-count').getByText('114 / 114').waitFor()
  mock.world.changeDevice('wp-033', { metrics: { fill_wet_pct: 99, fill_dry_pct: 10, temp_c: 9 } })
  await until(async () => (await id(page, 'point').first().getAttribute('data-id')) === 'wp-033', 'the full one is first')
  await point(page, 'wp-033').locator('[data-stream="wet"][data-level="full"]').waitFor()
  await point(page, 'wp-033').locator('[data-testid="full-at"]').getByText('已满').waitFor()
  await point(page, 'wp-033').locator('[data-testid="point-state"]').getByText('已满').waitFor()
  mock.world.raise('wp-033', 'WS-SOON')
  await point(page, 'wp-033').getByText('工单').waitFor()
  await id(page, 'point').first().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/devices/wp-033')
}))

test('filters and order live in the address, and one press clears them', () => scene(async ({ console }) => {
  const page = await console()
  await toBoard(page)
  await id(page, 'filter-area').selectOption('c-03')
  await id(page, 'sort').selectOption('fill')
  await until(async () => /area=c-03/.test(page.url()) && /sort=fill/.test(page.url()), 'in the address')
  const fills = await id(page, 'point').evaluateAll((rows) => rows.map((row) => Number(row.dataset.fill)))
  assert.deepEqual(fills, [...fills].sort((a, b) => b - a))
  await id(page, 'search').fill('zzz')
  await page.getByText('无匹配投放点').waitFor()
  await page.getByText('清除筛选').click()
  await id(page, 'point').first().waitFor()
}))

test('without forecasts only the level is shown, and it says so', () => scene(async ({ mock, console }) => {
  mock.fault['/points'] = { status: 503, code: 'unavailable' }
  const page = await console('li', { allowed: refusals })
  await toBoard(page)
  await id(page, 'forecast-failed').getByText('预测不可用').waitFor()
  await id(page, 'fill').first().waitFor()
  delete mock.fault['/points']
  await id(page, 'forecast-failed').getByText('重试').click()
  await id(page, 'forecast-failed').waitFor({ state: 'detached' })
  await page.getByText(/^\d\d:\d\d [湿干可]$/).first().waitFor()
}))

test('nothing full is said only while the data is fresh', () => scene(async ({ mock, console }) => {
  for (const [device, { kind, metrics }] of mock.world.devices) {
    if (kind.endsWith('_point')) mock.world.changeDevice(device, { metrics: Object.fromEntries(Object.keys(metrics).map((name) => [name, 5])) })
  }
  const page = await console('li', { allowed: refusals })
  await toBoard(page)
  await id(page, 'waste-calm').getByText('暂无满溢预警').waitFor()
  mock.stream.fault = 'black-hole'
  await id(page, 'stale-banner').waitFor({ timeout: 18_000 })
  await id(page, 'waste-unknown').waitFor()
  assert.equal(await id(page, 'waste-calm').count(), 0)
  assert.ok(await page.locator('[data-testid="point"].hatched').count() > 0)
}))
