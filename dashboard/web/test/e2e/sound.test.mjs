import { strict as assert } from 'node:assert'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { transformWithOxc } from 'vite'
import { until } from './browser.mjs'
import { hear, id, p1Card, pattern, waitForTone } from './pages.mjs'
import { useBrowser } from './setup.mjs'

const scene = useBrowser({ autoplay: 'gesture' })
const autoplay = [/AudioContext was not allowed to start/]

test('a browser that blocks sound is reported, shown, and cured by any key', () => scene(async ({ mock, console }) => {
  const page = await console('li', { allowed: autoplay })
  await page.reload()
  await waitForTone(page, 'live')
  const incident = mock.world.press('btn-127')
  await p1Card(page, incident.id).waitFor()
  await page.locator('[data-testid="sound-chip"]:not([data-state="ok"])').waitFor()
  await id(page, 'sound-banner').waitFor({ timeout: 9_000 })
  await until(() => mock.stream.received.filter((frame) => frame.t === 'audio').at(-1)?.state === 'blocked', 'the hub is told')
  await page.keyboard.press('ArrowDown')
  await hear(page)
  await id(page, 'sound-banner').waitFor({ state: 'detached' })
  await until(() => mock.stream.received.filter((frame) => frame.t === 'audio').at(-1)?.state === 'ok', 'the hub is told')
}))

test('a mute ends with the next emergency, and is never an acknowledgement', () => scene(async ({ mock, console }) => {
  const page = await console()
  const first = mock.world.press('btn-001')
  await hear(page)
  await page.keyboard.press('Alt+m')
  await page.locator('[data-testid="sound-chip"][data-state="muted"]').waitFor()
  assert.equal(await pattern(page), null)
  assert.equal(mock.world.incidents.get(first.id).state, 'new')
  await until(() => mock.stream.received.filter((frame) => frame.t === 'audio').at(-1)?.state === 'muted', 'the hub is told')
  mock.world.press('btn-002')
  await hear(page)
  await page.locator('[data-testid="sound-chip"][data-state="ok"]').waitFor()
}))

test('the patterns keep their times in the browser’s own audio, loop after loop', () => scene(async ({ open }) => {
  const { page } = await open()
  await page.goto('about:blank')
  const source = await readFile(new URL('../../src/sound/patterns.ts', import.meta.url), 'utf8')
  const { code } = await transformWithOxc(source, 'patterns.ts', { sourcemap: false })
  const results = await page.evaluate(async (text) => {
    const { patterns, pulses, render } = await import(`data:text/javascript,${encodeURIComponent(text)}`)
    const measured = []
    for (const name of ['p1', 'p2']) {
      const pattern = patterns[name]
      const context = new OfflineAudioContext(1, (48_000 * pattern.period * 2) / 1000, 48_000)
      const samples = render(pattern, 16_000)
      const buffer = context.createBuffer(1, samples.length, 16_000)
      buffer.copyToChannel(samples, 0)
      const node = context.createBufferSource()
      node.buffer = buffer
      node.loop = true
      node.connect(context.destination)
      node.start()
      const heard = (await context.startRendering()).getChannelData(0)
      const stretches = []
      heard.forEach((sample, index) => {
        if (Math.abs(sample) < 0.002) return
        const ms = index / 48
        const last = stretches.at(-1)
        if (last && ms - last.end < 5) last.end = ms
        else stretches.push({ start: ms, end: ms })
      })
      const plan = [0, pattern.period].flatMap((shift) => pulses(pattern).map((p) => ({ start: p.start + shift, end: p.end + shift })))
      measured.push({ name, plan, stretches })
    }
    return measured
  }, code)
  for (const { name, plan, stretches } of results) {
    assert.equal(stretches.length, plan.length, name)
    plan.forEach((pulse, index) => {
      assert.ok(Math.abs(stretches[index].start - pulse.start) <= 10, `${name} pulse ${index} begins in time`)
      assert.ok(Math.abs(stretches[index].end - pulse.end) <= 10, `${name} pulse ${index} ends in time`)
    })
  }
}))
