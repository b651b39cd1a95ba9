import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync('src/styles/tokens.css', 'utf8')
const [day = '', night = ''] = css.split(':root[data-theme="night"]')

function tokens(text: string): Map<string, string> {
  return new Map([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1]!, match[2]!]))
}

const themes = { day: tokens(day), night: new Map([...tokens(day), ...tokens(night)]) }

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

const grounds = ['page', 'panel', 'raised', 'hover', 'selected']
const text: [string, string][] = [
  ...['ink', 'muted', 'p1-ink', 'warn-ink'].flatMap((ink) => grounds.map((ground): [string, string] => [ink, ground])),
  ...['p1', 'p2', 'p3', 'p4', 'doubt'].map((fill): [string, string] => [`${fill}-text`, fill]),
  ['panel', 'ink'], ['panel', 'muted'],
]
const graphics: [string, string][] = [
  ...['line', 'focus', 'normal', 'p1', 'p4', 'doubt'].flatMap((ink) => ['page', 'panel', 'raised'].map((ground): [string, string] => [ink, ground])),
]

describe.each(Object.entries(themes))('the %s theme', (name, theme) => {
  const of = (pair: [string, string]) => contrast(theme.get(pair[0])!, theme.get(pair[1])!)

  it.each(text)('%s on %s is readable (4.5)', (ink, ground) => {
    expect(of([ink, ground])).toBeGreaterThanOrEqual(4.5)
  })

  it.each(graphics)('%s on %s is visible (3)', (ink, ground) => {
    expect(of([ink, ground])).toBeGreaterThanOrEqual(3)
  })

  it('outlines the bright fills where the ground is bright', () => {
    for (const fill of ['p2', 'p3']) {
      const seen = name === 'day' ? Math.max(of([fill, 'panel']), of(['outline', 'panel'])) : of([fill, 'panel'])
      expect(seen).toBeGreaterThanOrEqual(3)
    }
  })
})
