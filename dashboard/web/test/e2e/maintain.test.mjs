import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { id } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const refusals = [/Failed to load resource/, /net::ERR/]
const letter = (page, n) => page.locator(`[data-testid="letter"][data-n="${n}"]`)

test('dead letters come a page at a time and are tried again, with what came of it', () => scene(async ({ mock, console }) => {
  const page = await console('wei', { allowed: refusals })
  await page.keyboard.press('Alt+5')
  await letter(page, 60).waitFor()
  assert.equal(await id(page, 'letter').count(), 50)
  await id(page, 'letters-more').click()
  await until(async () => (await id(page, 'letter').count()) === 60, 'the older ones')
  assert.equal(await id(page, 'letters-more').count(), 0)
  await letter(page, 60).locator('[data-testid="redrive"]').click()
  await letter(page, 60).getByText('已入库 3 点').waitFor()
  assert.equal(await letter(page, 60).locator('[data-testid="redrive"]').isDisabled(), true)
  await letter(page, 59).locator('[data-testid="redrive"]').click()
  await letter(page, 59).getByText('仍无法解码：payload is not JSON').waitFor()
  mock.fault['/journal/deadletters/58'] = { status: 503, code: 'history_unavailable' }
  await letter(page, 58).locator('[data-testid="redrive"]').click()
  await letter(page, 58).getByText('时序库没有应答').waitFor()
  await id(page, 'list-rejects').click()
  await id(page, 'letters-empty').getByText('没有拒收的报文').waitFor()
}))

test('a list that can not be read says why, and is asked for again', () => scene(async ({ mock, console }) => {
  mock.fault['/journal/deadletters'] = { status: 500, code: 'internal', detail: 'broken' }
  const page = await console('wei', { allowed: refusals })
  await page.keyboard.press('Alt+5')
  await id(page, 'load-failure').getByText('req-7F3A').waitFor()
  delete mock.fault['/journal/deadletters']
  await id(page, 'load-retry').click()
  await letter(page, 60).waitFor()
}))

test('it is for the maintainer: others neither see nor reach it', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: refusals })
  assert.equal(await id(page, 'nav-maintain').count(), 0)
  await page.keyboard.press('Alt+5')
  await page.goto(`${mock.url}/maintain`)
  await id(page, 'load-failure').getByText('没有权限查看报文').waitFor()
}))

test('an administrator is told of a connection that is not secure', () => scene(async ({ mock, console }) => {
  mock.secure = false
  const page = await console('gao')
  await id(page, 'insecure').getByText('非安全连接').waitFor()
  assert.equal(await id(await console('li'), 'insecure').count(), 0)
}))

test('an order is told as one and is silent', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.raise('wp-020', 'WS-SOON')
  await id(page, 'order').getByText('工单 cleaning-1').waitFor()
  await id(page, 'counter-p4').getByText('1').waitFor()
  assert.equal(await page.evaluate(() => window.__watchhouse.audio.pattern()), null)
}))
