import * as L from 'leaflet/dist/leaflet-src.esm.js'
import 'leaflet/dist/leaflet.css'
import './map.css'
import type { AreaFeature, Basemap } from '../api/types'
import type { AreaLabel, Line, MapAdapter, MapEvents, Marker } from './adapter'
import { shifterOf, type Shifter } from './datum'
import type { Place } from './geo'
import { classOf, drawMarker } from './glyph'
import { openTiles } from './tiles'

const closest = 18

/** The MapAdapter on Leaflet: markers are elements of the page, so keyboard, screen reader and tests can see them. */
export function createMap(host: HTMLElement, events: MapEvents): MapAdapter {
  return new LeafletMap(host, events)
}

interface Shown {
  layer: L.Marker
  key: string
}

class LeafletMap implements MapAdapter {
  private readonly map: L.Map
  private readonly lines = L.layerGroup()
  private readonly names = new Map<string, HTMLElement>()
  private readonly bounds = new Map<string, L.LatLngBounds>()
  private readonly shapes: L.GeoJSONLayer[] = []
  private readonly shown = new Map<string, Shown>()
  private tiles: L.Layer | null = null
  private crs: Basemap['crs'] = 'wgs84'
  private shift: Shifter = shifterOf('wgs84')
  private areas: readonly AreaFeature[] = []
  private markers: readonly Marker[] = []
  private drawn: readonly Line[] = []

  constructor(host: HTMLElement, private readonly events: MapEvents) {
    this.map = L.map(host, { zoomControl: false, attributionControl: false, maxZoom: closest, zoomSnap: 0.25, bounceAtZoomLimits: false, fadeAnimation: false })
    this.map.setView([31.26, 121.58], 14)
    this.map.on({ click: () => events.press('') })
    this.lines.addTo(this.map)
  }

  setBasemap(basemap: Basemap): void {
    this.tiles?.remove()
    this.tiles = null
    if (basemap.crs !== this.crs) this.redraw(basemap.crs)
    if (basemap.url) void this.open(basemap.url)
  }

  /** Draws everything anew where it lies in another datum. */
  private redraw(crs: Basemap['crs']): void {
    this.crs = crs
    this.shift = shifterOf(crs)
    this.setAreas(this.areas)
    this.setLines(this.drawn)
    this.forget()
    this.setMarkers(this.markers)
  }

  private async open(url: string): Promise<void> {
    try {
      const { layer, attribution } = await openTiles(url, () => this.events.tiles(false, ''))
      this.tiles = layer.addTo(this.map)
      this.events.tiles(true, attribution)
    } catch {
      this.events.tiles(false, '')
    }
  }

  setAreas(areas: readonly AreaFeature[]): void {
    this.areas = areas
    this.shapes.splice(0).forEach((shape) => shape.remove())
    this.bounds.clear()
    for (const area of areas) this.addArea(area)
  }

  private addArea(area: AreaFeature): void {
    const { id } = area.properties
    const name = this.names.get(id) ?? document.createElement('span')
    this.names.set(id, name)
    const shape = L.geoJSON({ type: 'Feature', ...this.shift.area(area) }, { interactive: false, style: { className: 'area', weight: 1 } })
    shape.bindTooltip(name, { permanent: true, direction: 'center', className: 'area-name', interactive: false }).addTo(this.map)
    this.shapes.push(shape)
    this.bounds.set(id, shape.getBounds())
  }

  labelAreas(labels: readonly AreaLabel[]): void {
    for (const { id, name, open } of labels) {
      const element = this.names.get(id)
      if (!element) continue
      element.textContent = open > 0 ? `${name} ${open}` : name
      element.parentElement?.classList.toggle('quiet', open === 0)
    }
  }

  setMarkers(markers: readonly Marker[]): void {
    this.markers = markers
    const wanted = new Set(markers.map((marker) => marker.id))
    for (const [id, { layer }] of this.shown) {
      if (wanted.has(id)) continue
      layer.remove()
      this.shown.delete(id)
    }
    for (const marker of markers) this.place(marker)
  }

  private forget(): void {
    for (const { layer } of this.shown.values()) layer.remove()
    this.shown.clear()
  }

  /** Changes a marker in place: one that has the focus keeps it. */
  private place(marker: Marker): void {
    const key = JSON.stringify(marker)
    const known = this.shown.get(marker.id)
    if (known?.key === key) return
    const layer = known?.layer ?? this.add(marker)
    this.shown.set(marker.id, { layer, key })
    layer.setLatLng(this.shift.place(marker)).setZIndexOffset(marker.priority ? 10_000 * (5 - marker.priority) : 0)
    const element = layer.getElement()
    if (element) dress(element, marker)
  }

  private add(marker: Marker): L.Marker {
    const press = () => this.events.press(marker.id)
    const layer = L.marker(this.shift.place(marker), { keyboard: false, icon: L.divIcon({ className: 'spot', iconSize: [26, 26] }) })
    layer.on({ click: press }).addTo(this.map)
    layer.getElement()?.addEventListener('keydown', (event) => {
      if (event.code !== 'Enter' && event.code !== 'NumpadEnter' && event.code !== 'Space') return
      event.preventDefault()
      press()
    })
    return layer
  }

  setLines(lines: readonly Line[]): void {
    this.drawn = lines
    this.lines.clearLayers()
    for (const line of lines) {
      const label = document.createElement('span')
      label.textContent = line.label
      const [from, to] = [this.shift.place(line.from), this.shift.place(line.to)]
      L.polyline([from, to], { className: 'way', interactive: false, weight: 2 }).addTo(this.lines)
      // At its end: in the middle the labels of neighbours would lie on each other.
      L.polyline([to, to], { interactive: false, stroke: false })
        .bindTooltip(label, { permanent: true, direction: 'right', offset: [10, 0], className: 'way-length' }).addTo(this.lines)
    }
  }

  fit(area?: string): void {
    const bounds = L.latLngBounds([])
    for (const [id, part] of this.bounds) if (!area || id === area) bounds.extend(part)
    if (!area && this.bounds.size === 0) for (const marker of this.markers) bounds.extend(this.shift.place(marker))
    if (bounds.isValid()) this.map.fitBounds(bounds, { padding: [16, 16], maxZoom: 17, animate: false })
  }

  show(place: Place): void {
    this.map.setView(this.shift.place(place), Math.max(this.map.getZoom(), 16), { animate: false })
  }

  zoom(steps: number): void {
    this.map.setZoom(this.map.getZoom() + steps)
  }

  focus(id: string): void {
    this.shown.get(id)?.layer.getElement()?.focus({ preventScroll: true })
  }

  resize(): void {
    this.map.invalidateSize({ animate: false })
  }

  destroy(): void {
    this.map.remove()
  }
}

/** Leaflet keeps its own classes and position on the element; the rest is ours. */
function dress(element: HTMLElement, marker: Marker): void {
  const own = [...element.classList].filter((name) => name.startsWith('leaflet-'))
  element.className = [...own, classOf(marker)].join(' ')
  element.replaceChildren(drawMarker(marker))
  element.title = marker.label
  element.dataset.testid = 'spot'
  element.dataset.id = marker.id
  element.dataset.priority = String(marker.priority ?? '')
  if (marker.priority) {
    element.tabIndex = 0
    element.setAttribute('role', 'button')
    element.setAttribute('aria-label', marker.label)
    element.removeAttribute('aria-hidden')
  } else {
    element.removeAttribute('tabindex')
    element.removeAttribute('role')
    element.setAttribute('aria-hidden', 'true')
  }
}
