/**
 * The rhythms of alarm. One pitch: the rhythm carries the urgency, as with medical alarms, and the three differ enough to
 * be told apart from the next room. Times in milliseconds.
 */

export type PatternName = 'p1' | 'p2' | 'p3' | 'link' | 'test'

export interface Pattern {
  /** Frequency of each pulse; its length is the number of pulses. */
  pitches: readonly number[]
  on: number
  gap: number
  /** From one burst's start to the next. */
  period: number
  loop: boolean
}

const pitch = 523
const times = (count: number): number[] => Array.from({ length: count }, () => pitch)

export const patterns: Record<PatternName, Pattern> = {
  p1: { pitches: times(10), on: 120, gap: 50, period: 3_000, loop: true },
  p2: { pitches: times(3), on: 180, gap: 80, period: 8_000, loop: true },
  p3: { pitches: times(2), on: 180, gap: 80, period: 60_000, loop: true },
  link: { pitches: [523, 392], on: 260, gap: 40, period: 30_000, loop: true },
  test: { pitches: times(5), on: 120, gap: 50, period: 1_200, loop: false },
}

export const ramp = 20
const harmonics = [1, 0.5, 0.33, 0.25, 0.2]
const peak = harmonics.reduce((sum, level) => sum + level, 0)

/** Start and end of each pulse within one burst. */
export function pulses(pattern: Pattern): { start: number; end: number; pitch: number }[] {
  return pattern.pitches.map((frequency, index) => {
    const start = index * (pattern.on + pattern.gap)
    return { start, end: start + pattern.on, pitch: frequency }
  })
}

/** One burst and the silence after it as samples, so that a looping buffer needs no timer of the page. */
export function render(pattern: Pattern, sampleRate: number): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(Math.round((pattern.period * sampleRate) / 1000))
  for (const pulse of pulses(pattern)) writePulse(samples, pulse, sampleRate)
  return samples
}

function writePulse(
  samples: Float32Array, pulse: { start: number; end: number; pitch: number }, sampleRate: number,
): void {
  const first = Math.round((pulse.start * sampleRate) / 1000)
  const count = Math.round(((pulse.end - pulse.start) * sampleRate) / 1000)
  const edge = (ramp * sampleRate) / 1000
  for (let i = 0; i < count; i++) {
    const envelope = Math.min(1, i / edge, (count - i) / edge)
    samples[first + i] = envelope * tone(pulse.pitch, i / sampleRate)
  }
}

function tone(frequency: number, seconds: number): number {
  let sum = 0
  harmonics.forEach((level, index) => {
    sum += level * Math.sin(2 * Math.PI * frequency * (index + 1) * seconds)
  })
  return sum / peak
}
