import type { AreaFeature, Basemap, Priority } from '../api/types'
import type { Place } from './geo'
import type { Layer } from './spots'

/** One marker. Only abnormal ones can be reached by Tab. */
export interface Marker extends Place {
  id: string
  layer: Layer
  priority: Priority | null
  acked: boolean
  doubtful: boolean
  selected: boolean
  /** How many devices it stands for. */
  count: number
  /** What a screen reader says, and the tooltip. */
  label: string
}

export interface AreaLabel {
  id: string
  name: string
  /** Open incidents; 0 = none. */
  open: number
}

export interface Line {
  from: Place
  to: Place
  label: string
}

export interface MapEvents {
  /** A marker was pressed; '' = the empty map. */
  press(id: string): void
  /** The basemap can, or can not, be drawn; whose work it is. */
  tiles(ok: boolean, attribution: string): void
}

/**
 * All that the screens know of a map engine. Places go in as WGS-84; the engine shifts them for the basemap's datum.
 * Nothing but a hand, `fit`, `show` and `zoom` moves the view.
 */
export interface MapAdapter {
  setBasemap(basemap: Basemap): void
  setAreas(areas: readonly AreaFeature[]): void
  labelAreas(labels: readonly AreaLabel[]): void
  setMarkers(markers: readonly Marker[]): void
  setLines(lines: readonly Line[]): void
  /** Shows all of one area, or of everything. */
  fit(area?: string): void
  show(place: Place): void
  zoom(steps: number): void
  focus(id: string): void
  resize(): void
  destroy(): void
}
