import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { axeFindings, fromAfar } from './browser.mjs'
import { id, p1Card, signIn, startShift, toConsole, waitForTone } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()

async function check(page, screen, found) {
  for (const finding of await axeFindings(page)) found.push(`${screen}: ${finding}`)
}

/** The call to be acknowledged comes first: a press of F2 just after its aim was taken by another operator is swallowed. */
function fill(world) {
  const life = world.press('btn-127')
  const acked = world.press('btn-099')
  world.command(acked.id, 'acknowledge', '张', {}, {})
  world.raise('sh-07', 'SH-OFFLINE')
  world.changeDevice('sh-07', { silent: true, online: false })
  world.raise('btn-012', 'EB-OFFLINE')
  world.changeDevice('btn-013', { last_seen: 0, online: null, metrics: {} })
  return life
}

for (const theme of ['light', 'dark']) {
  for (const locale of ['zh-CN', 'en']) {
    test(`every screen is accessible: ${theme}, ${locale}`, () => scene(async ({ mock, open, password }) => {
      const { page } = await open({ theme, locale, reducedMotion: 'reduce' })
      const found = []
      await page.goto(mock.url)
      await id(page, 'login-user').waitFor()
      await check(page, 'sign-in', found)
      await signIn(page, mock.url, 'li', password)
      await check(page, 'start of shift', found)
      await startShift(page)
      await waitForTone(page, 'live')
      await id(page, 'none-unacked').waitFor()
      await check(page, 'console, empty', found)
      const incident = fill(mock.world)
      await p1Card(page, incident.id).click()
      await check(page, 'console', found)
      await page.keyboard.press('F2')
      await page.locator(`[data-testid="p1-card"][data-id="${incident.id}"][data-acked="true"]`).waitFor()
      await page.keyboard.press('F4')
      await id(page, 'resolve-dialog').waitFor()
      await page.keyboard.press('Control+Enter')
      await check(page, 'resolve dialog with faults', found)
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+/')
      await id(page, 'help-dialog').waitFor()
      await check(page, 'help', found)
      await page.keyboard.press('Escape')
      await id(page, 'open-incident').click()
      await page.locator('[data-testid="timeline"] li').first().waitFor()
      await id(page, 'reveal').click()
      await id(page, 'person-detail').waitFor()
      await check(page, 'incident', found)
      await page.keyboard.press('Alt+2')
      await id(page, 'device-row').first().waitFor()
      await check(page, 'devices', found)
      await id(page, 'device-row').first().click()
      await id(page, 'chart').first().waitFor()
      await id(page, 'range-custom').click()
      await check(page, 'device', found)
      await id(page, 'table-toggle').click()
      await id(page, 'series-table').first().waitFor()
      await check(page, 'device table', found)
      await page.keyboard.press('Alt+3')
      await id(page, 'area-spot').first().click()
      await id(page, 'spot-card').waitFor()
      await check(page, 'map', found)
      await page.keyboard.press('Alt+4')
      await id(page, 'point').first().waitFor()
      await check(page, 'sorting board', found)
      if (theme === 'light' && locale === 'zh-CN') {
        await page.keyboard.press('Alt+1')
        mock.stream.fault = 'black-hole'
        await id(page, 'stale-banner').waitFor({ timeout: 18_000 })
        await check(page, 'console, stale', found)
      }
      assert.deepEqual(found, [])
    }))
  }
}

for (const theme of ['light', 'dark']) {
  for (const locale of ['zh-CN', 'en']) {
    test(`the screens of who looks after devices are accessible: ${theme}, ${locale}`, () => scene(async ({ mock, open, password }) => {
      const { page } = await open({ theme, locale, reducedMotion: 'reduce', allowed: [/Failed to load resource/] })
      const found = []
      await toConsole(page, fromAfar(mock.url), 'gao', password)
      await id(page, 'insecure').waitFor()
      await page.keyboard.press('Alt+5')
      await id(page, 'redrive').nth(1).click()
      await id(page, 'outcome').nth(1).getByText(/./).waitFor()
      await check(page, 'dead letters', found)
      await id(page, 'list-rejects').click()
      await id(page, 'letters-empty').waitFor()
      await check(page, 'rejects, empty', found)
      await page.keyboard.press('Alt+2')
      await id(page, 'device-add').click()
      await id(page, 'device-dialog').waitFor()
      await page.keyboard.press('Control+Enter')
      await id(page, 'field-fault').first().waitFor()
      await check(page, 'device form with faults', found)
      await page.keyboard.press('Escape')
      await id(page, 'device-import').click()
      await id(page, 'import-file').setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('id,kind,name\nx-1,dragon,龙\n') })
      await id(page, 'import-preview').waitFor()
      await page.keyboard.press('Control+Enter')
      await id(page, 'import-faults').waitFor()
      await check(page, 'import with faults', found)
      await page.keyboard.press('Escape')
      await id(page, 'device-row').first().click()
      await id(page, 'device-renew').click()
      await id(page, 'confirm-name').fill('btn-001')
      await check(page, 'confirmation', found)
      await page.keyboard.press('Control+Enter')
      await id(page, 'secret').waitFor()
      await check(page, 'secret', found)
      await page.keyboard.press('Escape')
      await id(page, 'last-message').getByText('QoS 1').waitFor()
      await check(page, 'device with its last message', found)
      assert.deepEqual(found, [])
    }))
  }
}

test('at 200 % zoom and on a narrow screen nothing scrolls sideways', () => scene(async ({ mock, console }) => {
  mock.secure = false
  const page = await console('gao', { viewport: { width: 720, height: 450 } })
  const incident = fill(mock.world)
  await p1Card(page, incident.id).waitFor()
  for (const width of [1366, 1024, 720, 360]) {
    await page.setViewportSize({ width, height: 640 })
    for (const path of ['/live', `/i/${incident.id}`, '/devices', '/devices/btn-127', '/map', '/waste', '/maintain']) {
      await page.evaluate((to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate', { state: {} })) }, path)
      await page.waitForTimeout(300)
      const over = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth) - innerWidth)
      assert.ok(over <= 0, `${path} is ${over} px too wide at ${width}`)
      // A place (written with a dot) may be shortened; the word of an action may not.
      const cut = await page.evaluate(() => [...document.querySelectorAll('button, a.button')]
        .filter((button) => button.scrollWidth > button.clientWidth + 1 || button.getBoundingClientRect().right > innerWidth + 1).map((button) => button.textContent))
      assert.deepEqual(cut.filter((text) => !text.includes('·')), [], `${path} cuts buttons at ${width}`)
    }
  }
}))

test('every action is reached by Tab, and small targets are at least 24 px', () => scene(async ({ mock, console }) => {
  const page = await console()
  const incident = fill(mock.world)
  await p1Card(page, incident.id).waitFor()
  const reached = new Set()
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    const name = await page.evaluate(() => document.activeElement?.dataset.testid ?? '')
    if (name) reached.add(name)
  }
  for (const name of ['nav-live', 'nav-devices', 'nav-map', 'nav-waste', 'sound-chip', 'theme', 'language', 'help', 'logout', 'ack', 'search', 'incident-row', 'open-incident', 'reveal', 'event-log']) {
    assert.ok(reached.has(name), `${name} is reached by Tab`)
  }
  const small = await page.evaluate(() => [...document.querySelectorAll('button, [role="tab"], input')]
    .map((element) => ({ name: element.dataset.testid ?? element.textContent, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24)).map(({ name }) => name))
  assert.deepEqual(small, [])
}))

test('a flood speaks at most once in three seconds', () => scene(async ({ mock, console }) => {
  const page = await console()
  await page.evaluate(() => {
    window.spoken = []
    new MutationObserver(() => window.spoken.push(performance.now())).observe(document.querySelector('[data-testid="announce"]'), { childList: true, characterData: true, subtree: true })
  })
  for (let i = 1; i <= 8; i++) {
    mock.world.press(`btn-00${i}`)
    await page.waitForTimeout(500)
  }
  await page.waitForTimeout(2_500)
  const spoken = await page.evaluate(() => window.spoken)
  assert.ok(spoken.length >= 2 && spoken.length <= 3, `${spoken.length} messages`)
  spoken.slice(1).forEach((at, index) => assert.ok(at - spoken[index] >= 2_900))
}))
