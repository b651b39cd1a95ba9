import type { DeviceState, Incident, PointLevels } from '../api/types'
import { fullAbove } from '../store/devices'

export type StreamName = 'wet' | 'dry' | 'recyclable' | 'hazardous'
export const streams: readonly StreamName[] = ['wet', 'dry', 'recyclable', 'hazardous']
const kinds = new Set(['sorting_point', 'recyclables_point'])

export type Trend = 'rising' | 'steady' | 'falling'

/** One fraction of one point. */
export interface Fraction {
  stream: StreamName
  fill: number
  /** Absent: not known. */
  trend?: Trend
  /** When it will be full, Unix ms; 0 = not known. */
  fullAt: number
}

export interface Point {
  device: DeviceState
  fractions: Fraction[]
  /** The fullest. */
  fill: number
  /** The first to be full; absent if no forecast is known. */
  next?: Fraction
  emptiedAt: number
  temperature?: number
  incident?: Incident
}

export type Order = 'full' | 'fill' | 'area'
export const orders: readonly Order[] = ['full', 'fill', 'area']

/** Percent an hour that make an arrow. */
const trendFrom = 0.5
const never = Number.MAX_SAFE_INTEGER

/** Joins what the devices say now with what the hub forecasts; a level of the stream is newer than that of a forecast. */
export function pointsOf(devices: readonly DeviceState[], levels: ReadonlyMap<string, PointLevels>, open: ReadonlyMap<string, Incident>): Point[] {
  return devices.filter((device) => kinds.has(device.kind)).map((device) => pointOf(device, levels.get(device.id), open.get(device.id)))
}

function pointOf(device: DeviceState, levels: PointLevels | undefined, incident: Incident | undefined): Point {
  const fractions = streams.flatMap((stream): Fraction[] => {
    const forecast = levels?.streams.find((one) => one.stream === stream)
    const fill = device.metrics?.[`fill_${stream}_pct`] ?? forecast?.fill_pct
    if (fill === undefined) return []
    return [{ stream, fill, trend: trendOf(forecast?.rate_pct_h ?? 0), fullAt: forecast?.full_at ?? 0 }]
  })
  return {
    device, fractions, incident,
    fill: Math.max(0, ...fractions.map((fraction) => fraction.fill)),
    next: fractions.filter((fraction) => fraction.fullAt > 0).sort((a, b) => a.fullAt - b.fullAt)[0],
    emptiedAt: Math.max(0, ...(levels?.streams ?? []).map((stream) => stream.emptied_at)),
    temperature: device.metrics?.temp_c,
  }
}

function trendOf(rate: number): Trend | undefined {
  if (rate === 0) return undefined
  if (rate >= trendFrom) return 'rising'
  return rate <= -trendFrom ? 'falling' : 'steady'
}

/** Full ones first, then by the time that is left; without a forecast the level decides, after those with one. */
function byTime(a: Point, b: Point): number {
  return timeOf(a) - timeOf(b) || byFill(a, b)
}

function timeOf(point: Point): number {
  return point.fill >= fullAbove ? 0 : point.next?.fullAt ?? never
}

function byFill(a: Point, b: Point): number {
  return b.fill - a.fill || (a.device.id < b.device.id ? -1 : 1)
}

export function sorted(points: readonly Point[], order: Order): Point[] {
  const compare = {
    full: byTime,
    fill: byFill,
    area: (a: Point, b: Point) => a.device.area.localeCompare(b.device.area) || byFill(a, b),
  }[order]
  return [...points].sort(compare)
}
