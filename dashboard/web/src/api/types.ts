import type { components, paths } from './schema'

/** The shapes the page works with, from the hub's own description. Times are Unix milliseconds, ids opaque strings. */

type Schemas = components['schemas']

export type Priority = 1 | 2 | 3 | 4
export type Incident = Omit<Schemas['Incident'], 'priority'> & { priority: Priority }
export type IncidentState = Incident['state']
export type Disposition = NonNullable<Schemas['CommandInputBody']['disposition']>
/** One numbered change of one incident: what the stream carries. */
export type Transition = Omit<Schemas['Transition'], 'incident'> & { incident: Incident }
/** The same as the timeline shows it. */
export type TimelineEntry = Pick<Schemas['TimelineEntry'], 'seq' | 'at' | 'kind' | 'actor'> & { text?: string }
export type DeviceState = Schemas['DeviceState']
export type Area = Schemas['Area']
export type Cursor = Schemas['AsOf']
export type Snapshot = Omit<Schemas['Snapshot'], 'incidents'> & { incidents: Incident[] }
export type User = Schemas['Account']
export type Person = Schemas['MaskedPerson']
export type PersonDetail = Schemas['RevealedPerson']
export type Series = Schemas['Series']
export type Basemap = Schemas['Basemap']
export type Catalog = Schemas['Catalog']
export type Rule = Schemas['RuleInfo']
export type Words = Schemas['Title']
export type Registration = Schemas['Registration']
export type DeviceFields = Schemas['DeviceFields']
export type NewDevice = Schemas['NewDevice']
export type SideRecord = Schemas['SideRecord'] & Partial<Pick<Schemas['DeadLetter'], 'redriven_at'>>
export type JournalEntry = Schemas['JournalEntry']
export type Redriven = Schemas['Redriven']
export type PointLevels = Schemas['FillPoint']

export type Ring = [number, number][]
/** The border of a committee; WGS-84, longitude first. */
export interface AreaFeature {
  properties: Area
  geometry: { type: 'Polygon'; coordinates: Ring[] } | { type: 'MultiPolygon'; coordinates: Ring[][] }
}
export type WelcomeBody = Schemas['WelcomeFrame']
export type BatchBody = Omit<Schemas['BatchFrame'], 'ev'> & { ev: Transition[] | null }
export type DeviceBody = Schemas['DeviceFrame']
export type HeartbeatBody = Schemas['HeartbeatFrame']
export type ResyncBody = Schemas['ResyncFrame']
export type ClientBody = Schemas['ClientFrame']

/** The hub's problem, with the client's own code for "no answer". */
export type Problem = Partial<Omit<Schemas['Problem'], 'code' | 'current'>> & {
  status: number
  code: Schemas['Problem']['code'] | 'network'
  current?: Incident
}

/** The paths of the REST interface, below its prefix. */
export type Paths = { [P in keyof paths as P extends `/api/v1${infer Rest}` ? Rest : never]: paths[P] }
