/** Figures for reading under stress: 24 h with seconds, minutes and seconds for ages. */

const two = (value: number): string => String(value).padStart(2, '0')

/** 14:03:22 in the computer's time zone; empty for 0. */
export function clockTime(ms: number): string {
  if (!ms) return ''
  const date = new Date(ms)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** 11-23 14:03:22, or only the time when it is of the same day as `now`. */
export function dateTime(ms: number, now: number): string {
  if (!ms) return ''
  const date = new Date(ms)
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(ms)
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`
}

/** 02:11, 1:02:11 from an hour on; never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`
}

export type AgeUnit = 'seconds' | 'minutes' | 'hours' | 'days'

/** The largest unit that fits an age, for "3 minutes ago". */
export function ageParts(ms: number): { unit: AgeUnit; n: number } {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return { unit: 'seconds', n: seconds }
  if (seconds < 3600) return { unit: 'minutes', n: Math.floor(seconds / 60) }
  if (seconds < 86_400) return { unit: 'hours', n: Math.floor(seconds / 3600) }
  return { unit: 'days', n: Math.floor(seconds / 86_400) }
}

const units: Record<string, string> = {
  pct: '%', v: 'V', dbm: 'dBm', c: '°C', ppm: 'ppm', kg: 'kg', s: 's', ms: 'ms', m: 'm', w: 'W',
}

/** The unit that a metric's name ends in: battery_pct is in %. */
export function unitOf(metric: string): string {
  return units[metric.slice(metric.lastIndexOf('_') + 1)] ?? ''
}

export function reading(metric: string, value: number | undefined): string {
  return rounded(value, unitOf(metric))
}

/** A figure with its unit; a dash where there is none. */
export function rounded(value: number | undefined, unit: string): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  const figure = Math.round(value * 10) / 10
  return unit === '%' || unit === '' ? `${figure}${unit}` : `${figure} ${unit}`
}
