// Frames of the console with a thousand open incidents, idle and scrolling: node scripts/bench-frames.mjs [SECONDS] [INCIDENTS]. Needs a
// built page. Three runs; the median of each figure. `interval` is the time between two frames; on a busy machine other programs are in it.
// `work` is what the page itself computed in one task of its main thread, in processor time.
import { startMock, password } from '../test/mock/server.mjs'
import { launch, openPage } from '../test/e2e/browser.mjs'
import { id, toConsole } from '../test/e2e/pages.mjs'

const [seconds = 10, incidents = 1000] = process.argv.slice(2).map(Number)
const rules = ['EB-SOS', 'SH-OFFLINE', 'WS-FULL', 'EB-OFFLINE']
const runs = 3

/** Milliseconds between frames for `ms`; `step` pixels are scrolled with each, to and fro. */
function frames({ ms, step }) {
  const list = document.querySelector('[role="rowgroup"]')
  const intervals = []
  let [start, last, way] = [0, 0, step]
  return new Promise((done) => {
    const tick = (now) => {
      if (last) intervals.push(now - last)
      start ||= now
      last = now
      if (step) {
        if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) way = -step
        else if (list.scrollTop <= 0) way = step
        list.scrollTop += way
      }
      if (now - start < ms) requestAnimationFrame(tick)
      else done(intervals)
    }
    requestAnimationFrame(tick)
  })
}

/** Processor milliseconds of each task of the page's main thread. */
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace.toString())
  const main = new Set(traceEvents.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => `${e.pid} ${e.tid}`))
  return traceEvents.filter((e) => e.ph === 'X' && e.name === 'RunTask' && main.has(`${e.pid} ${e.tid}`)).map((e) => (e.tdur ?? e.dur) / 1000)
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0

function figures(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) ?? 0 }
}

const median = (values) => quantile(values.toSorted((a, b) => a - b), 0.5)
const medians = (list) => Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((one) => one[key])).toFixed(1)]))

async function measure(browser, page, step) {
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline', '__metadata'] })
  const intervals = await page.evaluate(frames, { ms: seconds * 1000, step })
  const tasks = tasksOf(await browser.stopTracing())
  return { interval: figures(intervals), work: figures(tasks) }
}

const browser = await launch()
const mock = await startMock()
try {
  for (let i = 0; i < incidents; i++) mock.world.raise(`x-${i}`, rules[i % rules.length])
  const { page } = await openPage(browser)
  await toConsole(page, mock.url, 'li', password)
  await id(page, 'incident-row').first().waitFor()
  await page.waitForTimeout(2000)
  for (const [name, step] of [['idle', 0], ['scrolling', 60]]) {
    const results = []
    for (let run = 0; run < runs; run++) results.push(await measure(browser, page, step))
    for (const what of ['interval', 'work']) {
      const { p50, p95, max } = medians(results.map((result) => result[what]))
      console.log(`${name.padEnd(10)} ${what.padEnd(9)} p50 ${p50.padStart(6)}  p95 ${p95.padStart(6)}  max ${max.padStart(6)} ms`)
    }
  }
} finally {
  await browser.close()
  await mock.close()
}
