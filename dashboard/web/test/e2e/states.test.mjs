import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { id, incidentRow, p1Card, signIn } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const refusals = [/Failed to load resource/, /WebSocket connection to/, /net::ERR/]

test('a wrong password says so, with a number to quote', () => scene(async ({ mock, open }) => {
  const { page } = await open({ allowed: refusals })
  await page.goto(mock.url)
  await id(page, 'login-user').fill('li')
  await id(page, 'login-password').fill('wrong')
  await page.keyboard.press('Enter')
  await id(page, 'login-error').getByText('用户名或密码不对').waitFor()
  await id(page, 'login-error').getByText('req-7F3A').waitFor()
}))

test('a shift begins only after the tone was heard', () => scene(async ({ mock, open, password }) => {
  const { page } = await open()
  await signIn(page, mock.url, 'li', password)
  assert.equal(await id(page, 'shift-start').isDisabled(), true)
  await id(page, 'shift-sound-test').click()
  await id(page, 'shift-not-heard').click()
  await page.locator('[data-testid="check-sound"][data-verdict="fail"]').waitFor()
  assert.equal(await id(page, 'shift-start').isDisabled(), true)
  await id(page, 'shift-watch-only').click()
  await id(page, 'user').getByText('未值班').waitFor()
}))

test('two operators at once: one has it, the other is told who', () => scene(async ({ mock, console }) => {
  const [li, zhang] = [await console('li'), await console('zhang', { allowed: refusals })]
  mock.stream.fault = ''
  const incident = mock.world.press('btn-127')
  await p1Card(zhang, incident.id).waitFor()
  mock.stream.fault = 'drop' // the other's screen has not heard of it yet
  await li.keyboard.press('F2')
  await until(() => mock.world.incidents.get(incident.id).acknowledged_by === 'li', 'acknowledged')
  await zhang.keyboard.press('F2')
  await zhang.getByText(/li 已于 \d\d:\d\d:\d\d 受理/).waitFor()
  await zhang.locator(`[data-testid="p1-card"][data-id="${incident.id}"][data-acked="true"]`).waitFor()
}))

test('a resolve on an old version is refused, the text kept, the second try works', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: refusals })
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  await page.keyboard.press('F2')
  await until(() => mock.world.incidents.get(incident.id).state === 'acknowledged', 'acknowledged')
  await id(page, 'quick-panel').locator('[data-testid="resolve"]').click()
  await id(page, 'disposition-test').check()
  await id(page, 'dialog-text').fill('例行测试')
  mock.world.command(incident.id, 'unacknowledge', '张', { text: '误点' }, { ifMatch: `"${mock.world.incidents.get(incident.id).version}"` })
  await page.keyboard.press('Control+Enter')
  await page.locator('[data-testid="resolve-dialog"] [data-testid="attempt-error"]').getByText('他人已更新').waitFor()
  assert.equal(await id(page, 'dialog-text').inputValue(), '例行测试')
  await page.keyboard.press('Control+Enter')
  await until(() => mock.world.incidents.get(incident.id).state === 'resolved', 'resolved')
}))

test('a command without an answer says to telephone, and is sent again with the same key', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: refusals })
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  mock.fault['/incidents'] = 'hang'
  await page.keyboard.press('F2')
  await id(page, 'attempt-slow').waitFor({ timeout: 8_000 })
  await id(page, 'attempt-error').waitFor({ timeout: 15_000 })
  delete mock.fault['/incidents']
  await id(page, 'attempt-retry').click()
  await until(() => mock.world.incidents.get(incident.id).state === 'acknowledged', 'acknowledged')
  const keys = mock.requests.filter((r) => r.path.endsWith('/acknowledge')).map((r) => r.headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.equal(new Set(keys).size, 1)
}))

test('a session that ends asks over the page and loses no draft', () => scene(async ({ mock, console, password }) => {
  const page = await console('li', { allowed: refusals })
  const incident = mock.world.press('btn-127')
  await incidentRow(page, incident.id).dblclick()
  await id(page, 'note-text').fill('家属已在路上')
  mock.sessions.clear()
  await id(page, 'note-send').click()
  await id(page, 'sign-in-dialog').waitFor()
  await id(page, 'login-password').fill(password)
  await id(page, 'login-submit').click()
  await id(page, 'sign-in-dialog').waitFor({ state: 'detached' })
  assert.equal(await id(page, 'note-text').inputValue(), '家属已在路上')
  await id(page, 'note-send').click()
  await page.locator('[data-testid="timeline"] [data-kind="noted"]').waitFor()
}))

test('a draft survives a reload', () => scene(async ({ mock, console }) => {
  const page = await console()
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  await page.keyboard.press('F2')
  await id(page, 'quick-panel').locator('[data-testid="resolve"]').click()
  await id(page, 'dialog-text').fill('写到一半')
  await page.reload()
  await p1Card(page, incident.id).click()
  await id(page, 'quick-panel').locator('[data-testid="resolve"]').click()
  assert.equal(await id(page, 'dialog-text').inputValue(), '写到一半')
}))

test('rows hold still under the hand and new ones wait above', () => scene(async ({ mock, console }) => {
  const page = await console()
  const first = mock.world.raise('btn-001', 'EB-OFFLINE')
  await incidentRow(page, first.id).hover()
  await page.mouse.move(500, 400)
  await page.mouse.move(503, 402)
  const worse = mock.world.raise('sh-01', 'SH-OFFLINE')
  await id(page, 'waiting-rows').getByText('1 条新报警').waitFor()
  assert.equal(await incidentRow(page, worse.id).count(), 0)
  await id(page, 'waiting-rows').click()
  await incidentRow(page, worse.id).waitFor()
  assert.equal(await id(page, 'incident-row').first().getAttribute('data-id'), worse.id)
}))

test('the focus goes on to the next row when its own is done', () => scene(async ({ mock, console }) => {
  const page = await console()
  const rows = ['btn-001', 'btn-002', 'btn-003'].map((device) => mock.world.raise(device, 'EB-OFFLINE'))
  await incidentRow(page, rows[0].id).waitFor()
  await page.keyboard.press('Tab')
  await incidentRow(page, rows[0].id).focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('F2')
  await until(() => mock.world.incidents.get(rows[1].id).state === 'acknowledged', 'the second row')
  await id(page, 'waiting-rows').waitFor()
  await page.keyboard.press('Escape')
  await incidentRow(page, rows[1].id).waitFor({ state: 'detached' })
  await until(() => page.evaluate((next) => document.activeElement?.dataset.id === next, rows[2].id), 'focus on the third row')
}))

test('personal data is masked until asked for, and the asking is recorded', () => scene(async ({ mock, console }) => {
  const page = await console()
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).click()
  await id(page, 'person').getByText('王**').waitFor()
  assert.equal(mock.revealed.length, 0)
  await id(page, 'reveal').click()
  await id(page, 'person-detail').getByText('独居，听力不好').waitFor()
  assert.deepEqual(mock.revealed, [{ person: 'p-btn-127', by: 'li' }])
}))

test('history that is not there says so, and a silence is a gap', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: refusals })
  mock.fault['/devices/sh-01/series'] = { status: 503, code: 'history_unavailable' }
  await page.goto(`${mock.url}/devices/sh-01`)
  await page.locator('[data-testid="history-unavailable"][data-code="history_unavailable"]').waitFor()
  delete mock.fault['/devices/sh-01/series']
  await id(page, 'history').getByText('重试').click()
  const battery = page.locator('[data-testid="chart"][data-metric="battery_pct"]')
  await battery.waitFor()
  const drawn = Number(await battery.getAttribute('data-points'))
  await id(page, 'table-toggle').click()
  const told = await page.locator('[data-testid="series-table"][data-metric="battery_pct"] tbody tr').count()
  assert.equal(drawn, told + 1, 'one gap drawn, no row made up for it')
  mock.series = (device, query) => ({ device, metric: query.get('metric'), from: 0, to: 1, every_ms: 0, points: [] })
  await id(page, 'range-7d').click()
  await id(page, 'no-data').getByText('该时段无上报').first().waitFor()
}))

test('what does not exist is said plainly', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: refusals })
  await page.goto(`${mock.url}/i/nope`)
  await id(page, 'load-failure').getByText('事件不存在或无权限').waitFor()
  await page.goto(`${mock.url}/devices/nope`)
  await id(page, 'load-failure').getByText('设备不存在或无权限').waitFor()
}))

test('a filter never hides that an emergency is outside it', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.press('btn-127')
  await id(page, 'search').fill('莱阳平安屋')
  await page.getByText('筛选外还有 1 条紧急').click()
  await id(page, 'incident-row').waitFor()
  await page.goto(`${mock.url}/devices?q=zzz`)
  await page.getByText('无匹配设备').waitFor()
}))

test('a viewer sees everything and may do nothing', () => scene(async ({ mock, console }) => {
  const page = await console('wall')
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).click()
  assert.equal(await id(page, 'ack').count(), 0)
  assert.equal(await id(page, 'reveal').count(), 0)
  await page.keyboard.press('F2')
  assert.equal(mock.requests.filter((r) => r.method === 'POST' && r.path.includes('/incidents/')).length, 0)
}))

test('ten thousand open rows and a burst of a thousand leave the page usable', () => scene(async ({ mock, console }) => {
  for (let i = 0; i < 10_000; i++) mock.world.raise(`dev-${i}`, 'EB-OFFLINE')
  const page = await console()
  await until(async () => (await id(page, 'tab-new').textContent())?.includes('10000'), 'all rows known')
  assert.ok((await id(page, 'incident-row').count()) < 60, 'only rows in sight exist')
  await page.evaluate(() => {
    window.longest = 0
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration) }).observe({ type: 'longtask' })
  })
  for (let i = 0; i < 500; i++) mock.world.raise(`late-${i}`, 'EB-OFFLINE')
  const life = mock.world.press('btn-127')
  for (let i = 500; i < 1000; i++) mock.world.raise(`late-${i}`, 'EB-OFFLINE')
  const at = Date.now() // the mock has sent everything
  await p1Card(page, life.id).waitFor()
  const seen = Date.now() - at
  await page.keyboard.press('F2')
  await until(() => mock.world.incidents.get(life.id).state === 'acknowledged', 'acknowledged')
  const acked = Date.now() - at
  const longest = await page.evaluate(() => window.longest)
  process.stdout.write(`# burst: emergency on screen after ${seen} ms, acknowledged after ${acked} ms, longest task ${Math.round(longest)} ms\n`)
  assert.ok((await id(page, 'incident-row').count()) < 60, 'still only rows in sight exist')
}))
