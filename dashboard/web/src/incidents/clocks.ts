import type { Incident, TimelineEntry } from '../api/types'

/**
 * What the steps of the ladder are until somebody is told by them: that nobody has acknowledged for so long. Their names in the
 * rules speak of what they will be for, and must not be read as done.
 */
const ladder: ReadonlySet<string> = new Set(['louder', 'l1', 'auto_dispatch', 'l3'])

export const isLadder = (name: string): boolean => ladder.has(name)

/** When an incident began to wait, Unix ms; 0 if the page cannot know: after its first change it may have waited several times. */
export function waitingSince(incident: Pick<Incident, 'version' | 'raised_at'>): number {
  return incident.version <= 1 ? incident.raised_at : 0
}

const calls: ReadonlySet<string> = new Set(['raised', 'unacknowledged', 'lapsed', 'reopened', 'reactivated'])

/** When the waiting began that an entry of a timeline belongs to. */
export function calledBefore(entries: readonly Pick<TimelineEntry, 'kind' | 'at'>[], index: number): number {
  return entries.slice(0, index).reverse().find((entry) => calls.has(entry.kind))?.at ?? 0
}

export type SpanUnit = 'seconds' | 'minutes' | 'hours' | 'days'

/** The largest unit that tells a span without a remainder worth telling: 30 s, 180 s, 15 min, 4 h. */
export function spanParts(ms: number): { unit: SpanUnit; n: number } {
  const seconds = Math.round(ms / 1000)
  if (seconds < 300) return { unit: 'seconds', n: seconds }
  if (seconds < 7200) return { unit: 'minutes', n: Math.round(seconds / 60) }
  if (seconds < 172_800) return { unit: 'hours', n: Math.round(seconds / 3600) }
  return { unit: 'days', n: Math.round(seconds / 86_400) }
}
