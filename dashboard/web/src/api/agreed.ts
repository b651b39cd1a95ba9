/** Routes that the hub's description does not hold yet, in the form of the generated ones. */

export interface Words {
  zh: string
  en: string
}

export interface CatalogKind {
  id: string
  title: Words
  /** Those that a page shows first, in this order. */
  metrics: string[]
  events: string[]
  report_interval_s: number
}

export interface CatalogMetric extends Words {
  name: string
  unit: string
}

export interface CatalogModel {
  id: string
  title: Words
  kind: string
  power: string
  report_interval_s: number
  profile: string
}

export interface Catalog {
  kinds: CatalogKind[]
  metrics: CatalogMetric[]
  models: CatalogModel[]
}

export type Ring = [number, number][]

export interface AreaFeature {
  type: 'Feature'
  properties: { id: string; name: string; name_en: string }
  /** WGS-84, longitude first. */
  geometry: { type: 'Polygon'; coordinates: Ring[] } | { type: 'MultiPolygon'; coordinates: Ring[][] }
}

export interface AreaMap {
  type: 'FeatureCollection'
  features: AreaFeature[]
}

export type StreamName = 'wet' | 'dry' | 'recyclable' | 'hazardous'

export interface PointStream {
  stream: StreamName
  fill_pct: number
  at: number
  rate_pct_h: number
  /** When it will be full, Unix ms; 0 = not known. */
  full_at: number
  emptied_at: number
}

export interface PointLevels {
  device: string
  streams: PointStream[]
}

export interface DeviceFields {
  kind: string
  name: string
  area: string
  lat: number | null
  lon: number | null
  gateway: string
  power: string
  report_interval_s: number
  model: string
  address: string
  settings: string
  place: string
  person: string
  out_of_service: boolean
}

export interface Registration extends DeviceFields {
  id: string
}

export interface NewDevice extends Registration {
  secret: string
}

export interface CsvFault {
  row: number
  column: string
  message: string
}

export interface CsvOutcome {
  created: number
  updated: number
  unchanged: number
  faults: CsvFault[]
}

export interface Redriven {
  outcome: 'stored' | 'undecodable' | 'gone'
  points: number
  reason: string
}

interface Answer<T> {
  responses: { 200: { content: { 'application/json': T } } }
}

interface Takes<B> {
  requestBody: { content: { 'application/json': B } }
}

interface Asks<Q> {
  parameters: { query?: Q }
}

export interface AgreedPaths {
  '/catalog': { get: Answer<Catalog> }
  '/areas/map': { get: Answer<AreaMap> }
  '/points': { get: Answer<{ items: PointLevels[]; next: string }> }
  '/devices': { post: Takes<NewDevice> & Answer<{ device: Registration; secret: string }> }
  '/devices/{id}': { put: Takes<DeviceFields> & Answer<{ device: Registration }>; delete: Answer<void> }
  '/devices/{id}/registration': { get: Answer<Registration> }
  '/devices/{id}/secret': { post: Answer<{ secret: string }> }
  '/registry/devices.csv': { post: Asks<{ dry_run?: boolean }> & Answer<CsvOutcome> }
  '/journal/deadletters/{id}/redrive': { post: Answer<Redriven> }
}
