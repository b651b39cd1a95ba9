import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { until } from './browser.mjs'
import { id, p1Card, pattern, waitForTone } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser()
const lostNetwork = [/WebSocket connection to/, /ERR_CONNECTION_REFUSED/, /net::ERR/]

test('a stream that goes silent without a goodbye is called stale within 13 s', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  await id(page, 'none-unacked').waitFor()
  const cut = Date.now()
  mock.stream.fault = 'black-hole'
  await id(page, 'stale-banner').waitFor({ timeout: 18_000 })
  // The last frame may be up to one heartbeat older than the cut.
  assert.ok(Date.now() - cut <= 13_000, `stale after ${Date.now() - cut} ms`)
  assert.equal(await id(page, 'none-unacked').count(), 0, '"no alerts" is said only while live')
  await id(page, 'state-unknown').waitFor()
  assert.equal(await id(page, 'server-clock').textContent(), '--:--:--')
  assert.equal(await pattern(page), 'link')
  const missed = mock.world.press('btn-088')
  mock.stream.fault = ''
  await waitForTone(page, 'live', 30_000)
  await p1Card(page, missed.id).waitFor()
  assert.equal(await id(page, 'stale-banner').count(), 0)
}))

test('what happened while the line was cut comes back once, in order, without a snapshot', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  const first = mock.world.press('btn-001')
  await p1Card(page, first.id).waitFor()
  const snapshots = () => mock.requests.filter((r) => r.path.endsWith('/snapshot')).length
  const before = snapshots()
  mock.stream.cut()
  const second = mock.world.press('btn-002')
  mock.world.command(first.id, 'acknowledge', '张', {}, {})
  await p1Card(page, second.id).waitFor()
  await page.locator(`[data-testid="p1-card"][data-id="${first.id}"][data-acked="true"]`).waitFor()
  assert.equal(snapshots(), before)
  assert.equal(await id(page, 'p1-card').count(), 2)
}))

test('a hole in the numbers is asked for again', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.stream.fault = 'drop'
  const lost = mock.world.press('btn-001')
  mock.stream.fault = ''
  const after = mock.world.press('btn-002')
  await p1Card(page, lost.id).waitFor()
  await p1Card(page, after.id).waitFor()
  assert.equal(mock.stream.received.filter((frame) => frame.t === 'resume').length >= 2, true)
}))

test('a loss that nothing follows is found by the next heartbeat', () => scene(async ({ mock, console }) => {
  const page = await console()
  mock.stream.fault = 'drop'
  const lost = mock.world.press('btn-001')
  mock.stream.fault = ''
  await p1Card(page, lost.id).waitFor()
}, { heartbeat: 1000 }))

test('a ledger begun anew replaces everything on the screen', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  const old = mock.world.press('btn-001')
  await p1Card(page, old.id).waitFor()
  mock.world.newEpoch()
  const fresh = mock.world.press('btn-002')
  await p1Card(page, fresh.id).waitFor()
  await p1Card(page, old.id).waitFor({ state: 'detached' })
}))

test('a replay too old for the hub becomes a snapshot', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  mock.stream.ringMin = mock.world.seq + 5
  mock.stream.cut()
  let last
  for (let i = 1; i <= 8; i++) last = mock.world.press(`btn-0${i}0`)
  mock.stream.ringMin = mock.world.seq
  await until(async () => (await id(page, 'incident-row').count()) === 8, 'eight rows')
  assert.ok(last)
}))

test('junk on the stream is skipped', () => scene(async ({ mock, console }) => {
  const page = await console()
  for (const junk of ['{', '{"t":"future","x":1}', 'null', '{"t":"b","e":7}']) mock.stream.all(junk)
  const incident = mock.world.press('btn-001')
  await p1Card(page, incident.id).waitFor()
}))

test('a hub that refuses connections is offline, and the page comes back by itself', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  mock.stream.fault = 'refuse'
  mock.stream.cut()
  await page.locator('[data-testid="stale-banner"][data-link="offline"]').waitFor({ timeout: 16_000 })
  mock.stream.fault = ''
  await waitForTone(page, 'live', 12_000)
}))

test('a new build is offered, never forced', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: lostNetwork })
  mock.stream.build = 'mock-2'
  mock.stream.cut()
  await id(page, 'build-banner').waitFor()
  await waitForTone(page, 'live')
}))

test('devices change in place', () => scene(async ({ mock, console }) => {
  const page = await console()
  assert.equal(await page.locator('[data-kind="emergency_button"] [data-testid="fleet-normal"]').textContent(), '连通 190/190')
  mock.world.changeDevice('btn-012', { silent: true, online: false })
  await page.locator('[data-device="btn-012"][data-condition="silent"]').waitFor()
  assert.equal(await page.locator('[data-kind="emergency_button"] [data-testid="fleet-normal"]').textContent(), '连通 189/190')
  assert.equal(await page.locator('[data-kind="safety_house"] [data-testid="fleet-normal"]').textContent(), '连通 42/42')
}))
