import type { Series } from '../api/types'

export type RangeName = '1h' | '24h' | '7d' | '30d' | '1y'

const day = 86_400_000
export const ranges: Record<RangeName, number> = { '1h': 3_600_000, '24h': day, '7d': 7 * day, '30d': 30 * day, '1y': 365 * day }

export interface Span {
  from: number
  to: number
}

/** What is looked at: a range that ends now and goes along with the time, or a fixed span. */
export type Look = RangeName | Span

const shortest = 10 * 60_000
const longest = 2 * 366 * day

export function spanOf(look: Look, now: number): Span {
  return typeof look === 'string' ? { from: now - ranges[look], to: now } : look
}

/** A quarter of the span earlier (-1) or later (1), never beyond now. */
export function pan(look: Look, now: number, direction: -1 | 1): Span {
  const { from, to } = spanOf(look, now)
  const by = Math.min(direction * Math.round((to - from) / 4), Math.max(0, now - to))
  return { from: from + by, to: to + by }
}

/** Half (0.5) or twice (2) the span, about its middle, never beyond now. */
export function zoom(look: Look, now: number, factor: number): Span {
  const { from, to } = spanOf(look, now)
  const length = Math.round(Math.max(shortest, Math.min(longest, (to - from) * factor)))
  const end = Math.min(now, Math.round((from + to + length) / 2))
  return { from: end - length, to: end }
}

/** Columns for the chart: seconds, mean, min, max, and the mean again where readings came late; null is a gap and breaks the line. */
export type Columns = [number[], Values, Values, Values, Values]
type Values = (number | null)[]

/** A step is a gap when it is longer than this many of the series' own steps. */
const gapFactor = 1.8

/**
 * Turns a series into chart columns. `interval` is how often the device reports, in ms: readings that come no more often
 * than that are not gaps. A silence is drawn as silence, never as a straight line.
 */
export function toColumns(series: Series, interval: number): Columns {
  const columns: Columns = [[], [], [], [], []]
  const step = gapFactor * Math.max(series.every_ms, interval)
  let last = -Infinity
  for (const point of series.points ?? []) {
    if (Number.isFinite(last) && point.ts - last > step) push(columns, last + step / 2, null, null, null, null)
    push(columns, point.ts, point.mean, point.min, point.max, point.late ? point.mean : null)
    last = point.ts
  }
  return columns
}

function push(columns: Columns, ts: number, ...values: (number | null)[]): void {
  const [times, ...rest] = columns
  times.push(ts / 1000)
  values.forEach((value, i) => rest[i]!.push(value))
}
