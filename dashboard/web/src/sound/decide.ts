import type { Incident } from '../api/types'
import type { Tone } from '../store/link'
import type { PatternName } from './patterns'

export interface Mute {
  /** Server time, Unix ms. */
  until: number
  /** What was ringing when the operator muted: anything else breaks the silence. */
  keys: ReadonlySet<string>
}

export interface Situation {
  unacked: readonly Incident[]
  tone: Tone
  /** Server time, Unix ms. */
  now: number
  mute: Mute | null
}

export interface Sounding {
  pattern: PatternName | null
  loud: boolean
  muted: boolean
}

export const muteFor = 120_000
const louderAfter = 15_000

/** A repeat press counts as news: somebody in need pressed again. */
export function ringKey(incident: Incident): string {
  return `${incident.id}#${incident.occurrences}`
}

export function muteNow(unacked: readonly Incident[], now: number): Mute {
  return { until: now + muteFor, keys: new Set(unacked.filter(isLife).map(ringKey)) }
}

/** The loudest open unacknowledged priority decides; a dead link rings only where no alarm does. Orders are silent. */
export function decide({ unacked: all, tone, now, mute }: Situation): Sounding {
  const unacked = all.filter((incident) => !incident.order)
  const top = unacked.reduce((worst, incident) => Math.min(worst, incident.priority), 4)
  const muted = mute !== null && now < mute.until && !unacked.some((i) => isLife(i) && !mute.keys.has(ringKey(i)))
  if (muted) return { pattern: null, loud: false, muted: true }
  if (top <= 3) {
    const loud = top === 1 && unacked.some((i) => isLife(i) && now >= louderAt(i))
    return { pattern: (['p1', 'p2', 'p3'] as const)[top - 1]!, loud, muted: false }
  }
  const dead = tone === 'stale' || tone === 'offline'
  return { pattern: dead ? 'link' : null, loud: false, muted: false }
}

function isLife(incident: Incident): boolean {
  return incident.priority === 1
}

function louderAt(incident: Incident): number {
  const deadline = incident.deadlines?.find((d) => d.name === 'louder')
  return deadline?.due_at ?? incident.raised_at + louderAfter
}
