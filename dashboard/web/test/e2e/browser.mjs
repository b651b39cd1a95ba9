// Chromium for the page's tests: Debian's, driven by playwright-core, with everything that would make it talk to the
// outside switched off. Console errors and policy violations are collected and fail the test that caused them.
import { chromium } from 'playwright-core'
import axe from 'axe-core'
import { strict as assert } from 'node:assert'

const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP watchhouse.test 127.0.0.1',
]

/** The same server under a name that is not this computer's own: what a console on another desk sees. */
export const fromAfar = (url) => url.replace('127.0.0.1', 'watchhouse.test')

/** `autoplay`: 'free' lets sound out at once, 'gesture' as a browser on a desk does. */
export function launch({ autoplay = 'gesture' } = {}) {
  const policy = autoplay === 'free' ? 'no-user-gesture-required' : 'user-gesture-required'
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [...args, `--autoplay-policy=${policy}`],
    ignoreDefaultArgs: ['--mute-audio'],
  })
}

/** A page that remembers its faults. `allowed`: patterns of console errors that the test provokes. `trusting`: takes any certificate. */
export async function openPage(browser, { viewport = { width: 1440, height: 900 }, allowed = [], theme = 'light', locale, reducedMotion, trusting = false } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: theme, timezoneId: 'Asia/Shanghai', locale: 'zh-CN', reducedMotion, ignoreHTTPSErrors: trusting })
  const faults = []
  await context.addInitScript((language) => {
    addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
    if (language) localStorage.setItem('wh.locale', language)
  }, locale)
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!allowed.some((pattern) => pattern.test(message.text()))) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  return {
    page,
    context,
    faults,
    /** Closes the page; fails if anything went wrong in it. */
    async finish() {
      await context.close()
      assert.deepEqual(faults, [], 'console errors or policy violations')
    },
  }
}

/** Serious and critical findings of axe, as text; run through the debugger so that the content policy stays on. */
export async function axeFindings(page) {
  const client = await page.context().newCDPSession(page)
  await client.send('Runtime.evaluate', { expression: axe.source })
  const { result } = await client.send('Runtime.evaluate', {
    awaitPromise: true,
    returnByValue: true,
    expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((found) => found.violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => v.id + ': ' + v.nodes.slice(0, 4).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')))`,
  })
  await client.detach()
  return result.value
}

/** Polls until `read` gives something true; fails with `what` after `ms`. */
export async function until(read, what, ms = 10_000) {
  const end = Date.now() + ms
  for (;;) {
    const value = await read()
    if (value) return value
    assert.ok(Date.now() < end, `not in ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
