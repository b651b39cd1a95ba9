/** The part of Leaflet 1.9 that the adapter uses. */
declare module 'leaflet/dist/leaflet-src.esm.js' {
  export type LatLngTuple = [number, number]

  export class Layer {
    addTo(map: Map | LayerGroup): this
    remove(): this
    on(events: Record<string, (event: never) => void>): this
    bindTooltip(content: HTMLElement, options?: object): this
  }
  export class LayerGroup extends Layer {
    clearLayers(): this
  }
  export class LatLngBounds {
    isValid(): boolean
    extend(other: LatLngBounds | LatLngTuple): this
  }
  export class Map {
    on(events: Record<string, (event: never) => void>): this
    fitBounds(bounds: LatLngBounds, options?: object): this
    setView(place: LatLngTuple, zoom: number, options?: object): this
    setZoom(zoom: number): this
    getZoom(): number
    invalidateSize(options?: object): this
    remove(): this
  }
  export class Marker extends Layer {
    setLatLng(place: LatLngTuple): this
    setZIndexOffset(offset: number): this
    getElement(): HTMLElement | undefined
  }
  export class DivIcon {}
  export interface GeoJSONLayer extends Layer {
    getBounds(): LatLngBounds
  }
  export interface Coords {
    x: number
    y: number
    z: number
  }
  export class GridLayer extends Layer {
    constructor(options?: object)
    createTile(coords: Coords, done: (error: Error | null, tile: HTMLElement) => void): HTMLElement
    getTileSize(): { x: number; y: number }
  }

  export function map(host: HTMLElement, options?: object): Map
  export function marker(place: LatLngTuple, options?: object): Marker
  export function divIcon(options: object): DivIcon
  export function layerGroup(): LayerGroup
  export function latLngBounds(places: LatLngTuple[]): LatLngBounds
  export function polyline(places: LatLngTuple[], options?: object): Layer
  export function geoJSON(data: object, options?: object): GeoJSONLayer
}
