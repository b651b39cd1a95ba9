import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { fromAfar, until } from './browser.mjs'
import { id, signIn, startShift } from './pages.mjs'
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
  await letter(page, 59).locator('[data-testid="outcome"]').getByText('仍无法解码').waitFor()
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

test('the start of shift and the bar say how the connection is secured, by what the page was fetched with', () => scene(async ({ mock, open, console, password }) => {
  const { page } = await open()
  await signIn(page, fromAfar(mock.url), 'gao', password)
  await id(page, 'check-secure').getByText('未加密（HTTP）').waitFor()
  assert.equal(await id(page, 'check-secure').getAttribute('data-verdict'), 'warn')
  await startShift(page)
  await id(page, 'insecure').getByText('非安全连接').waitFor()
  const other = await open()
  await signIn(other.page, mock.url, 'gao', password)
  await id(other.page, 'check-secure').getByText('本机连接，未加密').waitFor()
  await startShift(other.page)
  assert.equal(await id(other.page, 'insecure').count(), 0, 'what does not leave this computer is not open to others')
  assert.equal(await id(await console('li'), 'insecure').count(), 0)
}))

test('an order is told as one and is silent', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.raise('wp-020', 'WS-SOON')
  await until(async () => (await id(page, 'tab-orders').textContent()).trim().endsWith('1'), 'the order is counted as one')
  await id(page, 'none-unacked').waitFor()
  assert.equal(await id(page, 'counter-p4').locator('b').textContent(), '0', 'nobody is called to acknowledge an order')
  await id(page, 'tab-orders').click()
  await id(page, 'order').getByText('工单 cleaning-1').waitFor()
  await id(page, 'incident-row').getByText('工单待办').waitFor()
  assert.equal(await page.evaluate(() => window.__watchhouse.audio.pattern()), null)
}))
