import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { id } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const rules = ['EB-SOS', 'SH-OFFLINE', 'WS-FULL', 'EB-OFFLINE']

/** Counts what changes in the list, the cards and the log, apart from the clocks that tick in them. */
function observeLists() {
  const seen = { clocks: 0, changes: [] }
  window.__seen = seen
  const observer = new MutationObserver((records) => {
    for (const { target, type, attributeName } of records) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target
      if (element?.closest('.num, time')) seen.clocks++
      else seen.changes.push(`${type} ${attributeName ?? ''} <${element?.tagName} ${element?.className}>`)
    }
  })
  for (const name of ['[role="grid"]', '[data-testid="p1-strip"]', '[data-testid="event-log"]']) {
    observer.observe(document.querySelector(name), { subtree: true, childList: true, attributes: true, characterData: true })
  }
}

test('a thousand open incidents are as many rows as fit, and a heartbeat or a report changes none of them', () => scene(async ({ mock, console }) => {
  for (let i = 0; i < 1000; i++) mock.world.raise(`x-${i}`, rules[i % rules.length])
  const page = await console()
  const rows = id(page, 'incident-row')
  await id(page, 'tab-new').getByText('1000').waitFor()
  await rows.first().waitFor()
  const bound = await page.evaluate(() => Math.ceil(document.querySelector('[role="rowgroup"]').clientHeight / 40) + 2 * 8 + 1)
  assert.ok(await rows.count() <= bound, `${await rows.count()} rows, at most ${bound}`)

  await page.evaluate(observeLists)
  for (let i = 0; i < 30; i++) {
    mock.stream.beat()
    mock.world.changeDevice('wp-001', { metrics: { fill_wet_pct: i }, last_seen: mock.world.now() })
  }
  await until(() => page.evaluate(() => window.__seen.clocks > 0), 'the clocks tick')
  await until(() => page.evaluate(() => window.__seen.clocks > 40), 'and tick again')
  assert.deepEqual(await page.evaluate(() => window.__seen.changes), [])

  await page.locator('[role="rowgroup"]').evaluate((list) => { list.scrollTop = list.scrollHeight / 2 })
  await page.locator('[data-testid="incident-row"][aria-rowindex="500"]').waitFor()
  assert.ok(await rows.count() <= bound, `${await rows.count()} rows after scrolling, at most ${bound}`)
}))
