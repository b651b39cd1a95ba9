import type { AreaFeature, Ring } from '../api/types'

/** A place on the earth, WGS-84. */
export interface Place {
  lat: number
  lon: number
}

const earthRadius = 6_371_009

/** Metres between two places; good for a town. */
export function metres(a: Place, b: Place): number {
  const rad = Math.PI / 180
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad)
  return Math.round(earthRadius * Math.hypot(x, (b.lat - a.lat) * rad))
}

/** The nearest `n` of `others`, each with its distance. */
export function nearest<T extends Place>(from: Place, others: readonly T[], n: number): { to: T; metres: number }[] {
  return others.map((to) => ({ to, metres: metres(from, to) })).sort((a, b) => a.metres - b.metres).slice(0, n)
}

/** Whether a place lies within an area; holes are outside. */
export function within(place: Place, { geometry }: AreaFeature): boolean {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  return polygons.some(([outer, ...holes]) => outer && inRing(place, outer) && !holes.some((hole) => inRing(place, hole)))
}

/** Counts the borders east of the place: an odd number means inside. */
function inRing({ lat, lon }: Place, ring: Ring): boolean {
  let inside = false
  ring.forEach(([x, y], i) => {
    const [px, py] = ring[i === 0 ? ring.length - 1 : i - 1]!
    if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) inside = !inside
  })
  return inside
}
