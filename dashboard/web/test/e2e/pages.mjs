// The page's screens as its users know them; shared with the tests against a real hub.
import { until } from './browser.mjs'

export const id = (page, name) => page.locator(`[data-testid="${name}"]`)

export async function signIn(page, url, user, password) {
  await page.goto(`${url}/`)
  await id(page, 'login-user').fill(user)
  await id(page, 'login-password').fill(password)
  await id(page, 'login-submit').click()
  await id(page, 'shift-sound-test').waitFor()
}

/** Start of shift: plays the tone, confirms that it was heard, begins. */
export async function startShift(page) {
  await id(page, 'shift-sound-test').click()
  await id(page, 'shift-heard').click()
  await page.locator('[data-testid="shift-start"]:enabled').click()
  await id(page, 'link-chip').waitFor()
}

export async function toConsole(page, url, user, password) {
  await signIn(page, url, user, password)
  await startShift(page)
  await waitForTone(page, 'live')
}

export function waitForTone(page, tone, ms = 15_000) {
  return page.locator(`[data-testid="link-chip"][data-tone="${tone}"]`).waitFor({ timeout: ms })
}

export const p1Card = (page, incident) => page.locator(`[data-testid="p1-card"][data-id="${incident}"]`)
export const incidentRow = (page, incident) => page.locator(`[data-testid="incident-row"][data-id="${incident}"]`)

/** Loudness at the loudspeaker, 0 to 1. */
export const level = (page) => page.evaluate(() => window.__watchhouse.audio.level())
export const pattern = (page) => page.evaluate(() => window.__watchhouse.audio.pattern())

export function hear(page, what = 'a sound') {
  return until(async () => (await level(page)) > 0.02, what)
}

export function hearNothing(page) {
  return until(async () => (await pattern(page)) === null && (await level(page)) < 0.001, 'silence')
}
