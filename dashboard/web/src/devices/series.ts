import type { Series } from '../api/types'

export type RangeName = '1h' | '24h' | '7d' | '30d'

export const ranges: Record<RangeName, number> = {
  '1h': 3_600_000, '24h': 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000,
}

/** Columns for the chart: seconds, mean, min, max; null is a gap and breaks the line. */
export type Columns = [number[], (number | null)[], (number | null)[], (number | null)[]]

/** A step is a gap when it is longer than this many of the series' own steps. */
const gapFactor = 1.8

/**
 * Turns a series into chart columns. `interval` is how often the device reports, in ms: readings that come no more often
 * than that are not gaps. A silence is drawn as silence, never as a straight line.
 */
export function toColumns(series: Series, interval: number): Columns {
  const columns: Columns = [[], [], [], []]
  const step = gapFactor * Math.max(series.every_ms, interval)
  let last = -Infinity
  for (const point of series.points ?? []) {
    if (Number.isFinite(last) && point.ts - last > step) push(columns, last + step / 2, null, null, null)
    push(columns, point.ts, point.mean, point.min, point.max)
    last = point.ts
  }
  return columns
}

function push(columns: Columns, ts: number, mean: number | null, min: number | null, max: number | null): void {
  columns[0].push(ts / 1000)
  columns[1].push(mean)
  columns[2].push(min)
  columns[3].push(max)
}
