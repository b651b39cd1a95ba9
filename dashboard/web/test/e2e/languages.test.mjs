import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { id, p1Card, signIn, startShift, waitForTone } from './pages.mjs'
import { useBrowser } from './setup.mjs'
import { strangers } from './words.mjs'

const scene = useBrowser()
const clocks = ['louder', 'l1', 'auto_dispatch', 'l3', 'remind', 'progress', 'overdue', 'review', 'close', 'voice', 'outcome', 'offer', 'wave', 'depart', 'arrive', 'report', 'recontact', 'due']
const badges = ['delayed', 'clock_fault', 'unreadable', 'recurrence', 'unknown_place', 'cancelled', 'confirmed', 'test']

/** One call with every clock and badge, one of each rule, and a story with what the engine and people did. */
function fill({ world, stream }) {
  const life = world.press('btn-127')
  world.raise('btn-012', 'EB-OFFLINE')
  world.raise('sh-07', 'SH-OFFLINE')
  world.raise('sh-08', 'SH-FIRE')
  world.raise('wp-020', 'WS-SOON')
  world.changeDevice('sh-07', { silent: true, online: false })
  world.changeDevice('btn-013', { last_seen: 0, online: null, metrics: {} })
  world.changeDevice('wp-034', { metrics: { fill_wet_pct: 99, fill_dry_pct: 85 } })
  for (const name of clocks) world.step(world.incidents.get(life.id), 'escalated', 'engine', {}, { text: name, same: true })
  world.step(world.incidents.get(life.id), 'noted', '张', {}, { text: '已经打过电话', same: true })
  world.step(world.incidents.get(life.id), 'lapsed', 'engine', { deadlines: clocks.map((name, i) => ({ name, due_at: world.now() + i * 60_000 })), badges }, { text: 'zhang' })
  stream.degraded = ['alerts', 'alerts_lag', 'broker', 'bulk_space', 'influxdb', 'journal_bulk', 'journal_gap', 'journal_life', 'life_space', 'reserve', 'slow_disk', 'tls']
  stream.beat()
  return life
}

for (const locale of ['zh-CN', 'en']) {
  test(`no screen has a word of the other language: ${locale}`, () => scene(async ({ mock, open, password }) => {
    const { page } = await open({ locale, allowed: [/Failed to load resource/] })
    const found = []
    const names = () => [...mock.world.devices.values()].flatMap(({ name }) => [name, name.replace(/ \d+室$/, '')]).filter(Boolean).sort((a, b) => b.length - a.length)
    const check = async (screen) => found.push(...(await strangers(page, locale, ['gao', 'zhang', 'li'], names())).map((text) => `${screen}: ${text}`))
    mock.health = { ready: false, lag: { messages: 7, seconds: 3 }, senders: [{ id: 'btn-001', lane: 'event', share: 0.5 }] }
    await page.goto(mock.url)
    await id(page, 'login-user').fill('gao')
    await id(page, 'login-password').fill('wrong')
    await id(page, 'login-submit').click()
    await id(page, 'login-error').waitFor()
    await check('sign-in')
    await signIn(page, mock.url, 'gao', password)
    await check('start of shift')
    await startShift(page)
    await waitForTone(page, 'live')
    await id(page, 'none-unacked').waitFor()
    await check('console, empty')
    const life = fill(mock)
    await p1Card(page, life.id).click()
    await id(page, 'health-senders').waitFor()
    await check('console')
    for (const tab of ['handling', 'orders', 'recovered', 'done']) {
      await id(page, `tab-${tab}`).click()
      await check(`console, ${tab}`)
    }
    await page.keyboard.press('Control+/')
    await id(page, 'help-dialog').waitFor()
    await check('help')
    await page.keyboard.press('Escape')
    mock.fault = { '/incidents': { status: 503, code: 'unavailable', detail: 'The hub could not store this now; try again.' } }
    await page.keyboard.press('F2')
    await id(page, 'attempt-error').waitFor()
    await check('a command that failed')
    mock.fault = {}
    await id(page, 'attempt-retry').click()
    await page.locator(`[data-testid="p1-card"][data-id="${life.id}"][data-acked="true"]`).waitFor()
    await p1Card(page, life.id).click()
    await page.keyboard.press('F4')
    await id(page, 'resolve-dialog').waitFor()
    await page.keyboard.press('Control+Enter')
    await check('resolve dialog with faults')
    await page.keyboard.press('Escape')
    await id(page, 'open-incident').click()
    await page.locator('[data-testid="timeline"] [data-kind="lapsed"]').waitFor()
    await id(page, 'reveal').click()
    await id(page, 'person-detail').waitFor()
    await check('incident')
    await page.keyboard.press('Alt+2')
    await id(page, 'device-row').first().waitFor()
    await check('devices')
    await id(page, 'device-add').click()
    await page.locator('#device-id').fill('x-1')
    await page.locator('#device-kind').selectOption('garage')
    await page.locator('#device-gateway').fill('nowhere')
    await page.keyboard.press('Control+Enter')
    await id(page, 'field-fault').first().waitFor()
    await check('device form with a fault of the hub')
    await page.keyboard.press('Escape')
    await id(page, 'device-import').click()
    await id(page, 'import-file').setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('id,kind,name\nx-1,dragon,name\n') })
    await id(page, 'import-preview').waitFor()
    await page.keyboard.press('Control+Enter')
    await id(page, 'import-faults').waitFor()
    await check('import with faults')
    await page.keyboard.press('Escape')
    await id(page, 'device-row').first().click()
    await id(page, 'chart').first().waitFor()
    await id(page, 'range-custom').click()
    await id(page, 'table-toggle').click()
    await check('device')
    await page.keyboard.press('Alt+3')
    await id(page, 'area-spot').first().click()
    await id(page, 'spot-card').waitFor()
    await check('map')
    await page.keyboard.press('Alt+4')
    await id(page, 'point').first().waitFor()
    await check('sorting board')
    await page.keyboard.press('Alt+5')
    await id(page, 'redrive').nth(1).click()
    await id(page, 'outcome').nth(1).getByText(/./).waitFor()
    await check('dead letters')
    await id(page, 'list-rejects').click()
    await id(page, 'letters-empty').waitFor()
    await check('rejects')
    assert.deepEqual(found, [])
  }))
}
