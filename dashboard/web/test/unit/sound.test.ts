import { describe, expect, it } from 'vitest'
import { decide, muteFor, muteNow } from '../../src/sound/decide'
import { patterns, pulses, render, type PatternName } from '../../src/sound/patterns'
import { incident } from './make'

const rate = 16_000

/** Start and end, in ms, of each stretch of sound; gaps below 5 ms are the wave itself. */
function stretches(samples: Float32Array): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  samples.forEach((sample, index) => {
    if (Math.abs(sample) < 0.002) return
    const ms = (index * 1000) / rate
    const last = found[found.length - 1]
    if (last && ms - last.end < 5) last.end = ms
    else found.push({ start: ms, end: ms })
  })
  return found
}

describe('the patterns', () => {
  it.each(Object.keys(patterns) as PatternName[])('%s sounds and is silent within 10 ms of its plan', (name) => {
    const pattern = patterns[name]
    const samples = render(pattern, rate)
    const heard = stretches(samples)
    expect((samples.length * 1000) / rate).toBeCloseTo(pattern.period, 0)
    expect(heard).toHaveLength(pattern.pitches.length)
    pulses(pattern).forEach((pulse, index) => {
      expect(Math.abs(heard[index]!.start - pulse.start)).toBeLessThan(10)
      expect(Math.abs(heard[index]!.end - pulse.end)).toBeLessThan(10)
    })
    expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true)
  })

  it('have the rhythms that operators learn', () => {
    expect([patterns.p1.pitches.length, patterns.p1.on, patterns.p1.gap, patterns.p1.period]).toEqual([10, 120, 50, 3000])
    expect([patterns.p2.pitches.length, patterns.p2.on, patterns.p2.gap, patterns.p2.period]).toEqual([3, 180, 80, 8000])
    expect([patterns.p3.pitches.length, patterns.p3.period]).toEqual([2, 60_000])
  })
})

describe('what sounds', () => {
  const now = 100_000
  const say = (unacked: ReturnType<typeof incident>[], extra: Partial<Parameters<typeof decide>[0]> = {}) =>
    decide({ unacked, tone: 'live', now, mute: null, ...extra })

  it('is the loudest open priority; hints are silent', () => {
    const [p1, p2, p3, p4] = ([1, 2, 3, 4] as const).map((priority) => incident({ id: `${priority}`, priority, raised_at: now }))
    expect(say([p4!, p3!, p2!, p1!]).pattern).toBe('p1')
    expect(say([p3!, p2!]).pattern).toBe('p2')
    expect(say([p3!]).pattern).toBe('p3')
    expect(say([p4!]).pattern).toBeNull()
    expect(say([incident({ priority: 3, order: true })]).pattern).toBeNull()
    expect(say([]).pattern).toBeNull()
  })

  it('grows louder after 15 s, or when the hub says', () => {
    expect(say([incident({ raised_at: now - 14_000 })]).loud).toBe(false)
    expect(say([incident({ raised_at: now - 15_000 })]).loud).toBe(true)
    expect(say([incident({ raised_at: now - 60_000, deadlines: [{ name: 'louder', due_at: now + 1 }] })]).loud).toBe(false)
    expect(say([incident({ priority: 2, raised_at: 0 })]).loud).toBe(false)
  })

  it('is muted for two minutes, unless somebody else is in need or the same person presses again', () => {
    const first = incident({ id: 'a' })
    const mute = muteNow([first], now)
    expect(say([first], { mute }).muted).toBe(true)
    expect(say([first, incident({ id: 'p2', priority: 2 })], { mute }).muted).toBe(true)
    expect(say([first, incident({ id: 'b' })], { mute }).pattern).toBe('p1')
    expect(say([incident({ id: 'a', occurrences: 2 })], { mute }).pattern).toBe('p1')
    expect(say([first], { mute, now: now + muteFor }).pattern).toBe('p1')
  })

  it('is the tone of a dead link only where no alarm rings', () => {
    expect(say([], { tone: 'stale' }).pattern).toBe('link')
    expect(say([], { tone: 'delayed' }).pattern).toBeNull()
    expect(say([incident()], { tone: 'offline' }).pattern).toBe('p1')
  })
})
