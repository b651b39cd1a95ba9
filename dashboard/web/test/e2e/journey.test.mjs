import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { hear, hearNothing, id, incidentRow, level, p1Card, pattern } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()

test('a press is seen, heard, acknowledged and resolved without a mouse', () => scene(async ({ mock, console }) => {
  const page = await console()
  assert.equal(await id(page, 'none-unacked').count(), 1)
  const pressed = Date.now()
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  await hear(page, 'the alarm')
  const started = await page.evaluate(() => window.__watchhouse.audio.startedAt())
  assert.ok(started - pressed <= 300, `sound after ${started - pressed} ms`)
  assert.equal(await id(page, 'none-unacked').count(), 0)
  assert.match(await page.title(), /^\(1\) 紧急/)
  await until(() => mock.stream.received.some((frame) => frame.t === 'seen' && frame.seq === mock.world.seq), 'the page says that it was painted')
  assert.match(await id(page, 'announce').textContent(), /新增紧急报警：一键呼叫/)

  await page.keyboard.press('F2')
  await page.locator(`[data-testid="p1-card"][data-id="${incident.id}"][data-acked="true"]`).waitFor()
  await hearNothing(page)
  assert.equal(mock.world.incidents.get(incident.id).acknowledged_by, 'li')
  assert.equal(await p1Card(page, incident.id).locator('.mark').getAttribute('data-acked'), 'true')

  await page.keyboard.press('F4')
  await id(page, 'resolve-dialog').waitFor()
  await page.keyboard.press('Control+Enter')
  assert.equal(await page.locator('[aria-invalid="true"]').count() > 0, true, 'an empty form is refused')
  await id(page, 'disposition-real_visited').focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Tab')
  await page.keyboard.type('误触，已电话核实')
  await page.keyboard.press('Control+Enter')
  await id(page, 'resolve-dialog').waitFor({ state: 'detached' })
  const done = mock.world.incidents.get(incident.id)
  assert.deepEqual([done.state, done.disposition, done.resolved_by], ['resolved', 'false_press', 'li'])
  await p1Card(page, incident.id).waitFor({ state: 'detached' })
  await id(page, 'tab-done').click()
  await incidentRow(page, incident.id).waitFor()
}))

test('the rhythm of an emergency has sound and silence, and grows louder', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.world.press('btn-001')
  await hear(page)
  const levels = await page.evaluate(async () => {
    const seen = []
    const end = performance.now() + 3200
    while (performance.now() < end) {
      seen.push(window.__watchhouse.audio.level())
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return seen
  })
  const silent = levels.filter((value) => value < 0.001).length / levels.length
  assert.ok(silent > 0.25 && silent < 0.75, `silent for ${Math.round(silent * 100)} % of three seconds`)
  await page.waitForFunction(() => window.__watchhouse.audio.loud(), null, { timeout: 17_000 })
}))

test('priorities sound as they were learnt, the worst first', () => scene(async ({ mock, console }) => {
  const page = await console()
  const low = mock.world.raise('btn-002', 'EB-OFFLINE')
  await until(async () => (await pattern(page)) === 'p3', 'the tone of P3')
  mock.world.raise('sh-03', 'SH-OFFLINE')
  await until(async () => (await pattern(page)) === 'p2', 'the tone of P2')
  const life = mock.world.press('btn-003')
  await until(async () => (await pattern(page)) === 'p1', 'the tone of P1')
  mock.world.command(life.id, 'acknowledge', '张', {}, {})
  await until(async () => (await pattern(page)) === 'p2', 'the tone of P2 again')
  assert.ok(low.id)
}))

test('F2 takes the emergency, whatever is selected', () => scene(async ({ mock, console }) => {
  const page = await console()
  const low = mock.world.raise('btn-010', 'EB-OFFLINE')
  await incidentRow(page, low.id).click()
  const life = mock.world.press('btn-011')
  await p1Card(page, life.id).waitFor()
  await page.keyboard.press('F2')
  await until(() => mock.world.incidents.get(life.id).state === 'acknowledged', 'the emergency is acknowledged')
  assert.equal(mock.world.incidents.get(low.id).state, 'new')
  // Until the first is confirmed a second press is held back: a double tap must not take two.
  await page.locator(`[data-testid="p1-card"][data-id="${life.id}"][data-acked="true"]`).waitFor()
  await incidentRow(page, low.id).focus()
  await page.keyboard.press('F2')
  await until(() => mock.world.incidents.get(low.id).state === 'acknowledged', 'then the selected one')
}))

test('a repeat press is a count on the same card, and a note goes to the timeline', () => scene(async ({ mock, console }) => {
  const page = await console()
  const incident = mock.world.press('btn-127')
  mock.world.press('btn-127')
  await p1Card(page, incident.id).getByText('2 次').waitFor()
  assert.equal(await id(page, 'p1-card').count(), 1)
  await incidentRow(page, incident.id).focus()
  await page.keyboard.press('Enter')
  await page.locator('[data-testid="timeline"] [data-kind="occurrence"]').waitFor()
  await id(page, 'note-text').fill('已联系家属')
  await page.keyboard.press('Control+Enter')
  await page.locator('[data-testid="timeline"] [data-kind="noted"]').getByText('已联系家属').waitFor()
  assert.equal(await id(page, 'note-text').inputValue(), '')
  await page.keyboard.press('Escape')
  await id(page, 'note-text').blur()
  await page.keyboard.press('F2')
  await page.locator('[data-testid="timeline"] [data-kind="acknowledged"]').waitFor()
  await page.keyboard.press('Alt+u')
  await id(page, 'dialog-text').fill('误点')
  await page.keyboard.press('Control+Enter')
  await page.locator('[data-testid="incident-head"][data-state="new"]').waitFor()
  await hear(page, 'the alarm again')
  await page.keyboard.press('Alt+n')
  await id(page, 'note-dialog').waitFor()
  await page.keyboard.press('Escape')
  await id(page, 'note-dialog').waitFor({ state: 'detached' })
  await id(page, 'incident-head').waitFor()
  await page.keyboard.press('Escape')
  await p1Card(page, incident.id).waitFor()
}))

test('every key of the console is told by Ctrl+/', () => scene(async ({ console }) => {
  const page = await console()
  await page.keyboard.press('Control+/')
  await id(page, 'help-dialog').waitFor()
  for (const key of ['F2', 'F4', 'Alt+N', 'Alt+U', 'Alt+M', 'Ctrl+Enter', 'Ctrl+K']) {
    assert.equal(await id(page, 'help-dialog').getByText(key, { exact: true }).count(), 1, key)
  }
  await page.keyboard.press('Escape')
  await id(page, 'help-dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('Alt+2')
  await id(page, 'device-row').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('btn-127')
  await until(async () => (await id(page, 'device-row').count()) === 1, 'one device found')
  await id(page, 'device-row').focus()
  await page.keyboard.press('Enter')
  await id(page, 'chart').first().waitFor()
}))

test('the journey works without what an old browser core lacks, and over plain http', () => scene(async ({ mock, open, password }) => {
  const { page, context } = await open()
  await context.addInitScript(() => {
    delete window.structuredClone
    delete Object.hasOwn
    for (const name of ['at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced', 'with']) delete Array.prototype[name]
    delete String.prototype.at
    delete AbortSignal.timeout
    delete AbortSignal.any
    delete Crypto.prototype.randomUUID
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
  })
  const { toConsole } = await import('./pages.mjs')
  await toConsole(page, mock.url, 'li', password)
  const incident = mock.world.press('btn-127')
  await hear(page, 'the alarm')
  await page.keyboard.press('F2')
  await page.locator(`[data-testid="p1-card"][data-id="${incident.id}"][data-acked="true"]`).waitFor()
  await page.keyboard.press('F4')
  await id(page, 'disposition-test').check()
  await id(page, 'dialog-text').fill('例行测试')
  await page.keyboard.press('Control+Enter')
  await p1Card(page, incident.id).waitFor({ state: 'detached' })
  await page.keyboard.press('Alt+2')
  await id(page, 'device-row').first().click()
  await id(page, 'chart').first().waitFor()
}))

test('three windows of one browser ring once', () => scene(async ({ mock, open, password }) => {
  const { page, context } = await open()
  const { toConsole, startShift, waitForTone } = await import('./pages.mjs')
  await toConsole(page, mock.url, 'li', password)
  const others = [await context.newPage(), await context.newPage()]
  for (const other of others) {
    await other.goto(`${mock.url}/live`)
    await startShift(other)
    await waitForTone(other, 'live')
    await other.locator('[data-testid="sound-chip"][data-state="elsewhere"]').waitFor()
  }
  mock.world.press('btn-050')
  await hear(page)
  for (const other of others) {
    await id(other, 'p1-card').waitFor()
    assert.equal(await pattern(other), null)
    assert.equal(await level(other), 0)
  }
}))
