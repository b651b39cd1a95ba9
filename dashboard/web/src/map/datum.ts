import gcoord from 'gcoord'
import type { AreaFeature, Basemap, Ring } from '../api/types'
import type { Place } from './geo'

/** Shifts WGS-84 to the datum that a basemap is drawn in, for display only. */
export interface Shifter {
  /** Latitude first, as map engines want it. */
  place(place: Place): [number, number]
  area(area: AreaFeature): AreaFeature
}

export function shifterOf(crs: Basemap['crs']): Shifter {
  const shift = crs === 'gcj02' ? toGcj : ([lon, lat]: [number, number]): [number, number] => [lon, lat]
  const ring = (points: Ring): Ring => points.map(shift)
  return {
    place({ lat, lon }) {
      const [x, y] = shift([lon, lat])
      return [y, x]
    },
    area(area) {
      const { geometry } = area
      return {
        ...area,
        geometry: geometry.type === 'Polygon'
          ? { type: 'Polygon', coordinates: geometry.coordinates.map(ring) }
          : { type: 'MultiPolygon', coordinates: geometry.coordinates.map((polygon) => polygon.map(ring)) },
      }
    },
  }
}

function toGcj(place: [number, number]): [number, number] {
  return gcoord.transform(place, gcoord.WGS84, gcoord.GCJ02)
}
