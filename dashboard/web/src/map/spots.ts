import type { AreaFeature, DeviceState, Incident, Priority } from '../api/types'
import { conditionOf, silencePriority } from '../store/devices'
import { byUrgency, isUnacked } from '../store/incidents'
import { within, type Place } from './geo'

export type Layer = 'button' | 'house' | 'point' | 'recyclables' | 'garage' | 'other'
export const layers: readonly Layer[] = ['button', 'house', 'point', 'recyclables', 'garage', 'other']

const layerByKind: Record<string, Layer> = {
  emergency_button: 'button', safety_house: 'house', sorting_point: 'point', recyclables_point: 'recyclables', garage: 'garage',
}

export function layerOf(kind: string): Layer {
  return layerByKind[kind] ?? 'other'
}

/** What one marker stands for: a device, or all buttons of a building. */
export interface Spot extends Place {
  id: string
  layer: Layer
  name: string
  area: string
  devices: DeviceState[]
  /** The most urgent open incident among its devices. */
  incident?: Incident
  /** null: nothing is wrong here. */
  priority: Priority | null
  acked: boolean
}

export interface Spots {
  all: Spot[]
  /** Devices that no marker can stand for. */
  unplaced: DeviceState[]
  /** Markers outside of every committee: their coordinates are probably in another system. */
  doubtful: Spot[]
}

type Located = DeviceState & Place

/** Groups devices into markers. `open` holds the most urgent open incident of each device. */
export function spotsOf(devices: readonly DeviceState[], open: ReadonlyMap<string, Incident>, areas: readonly AreaFeature[]): Spots {
  const located = devices.filter((device): device is Located => device.lat != null && device.lon != null)
  const groups = new Map<string, Located[]>()
  for (const device of located) {
    const key = groupOf(device)
    groups.set(key, [...(groups.get(key) ?? []), device])
  }
  const all = [...groups].map(([key, members]) => spotOf(key, members, open))
  return {
    all,
    unplaced: devices.filter((device) => device.lat == null || device.lon == null),
    doubtful: areas.length === 0 ? [] : all.filter((spot) => !areas.some((area) => within(spot, area))),
  }
}

const building = /^.*?\d+\s*(?:号楼|号|幢|栋)/

/** The building of a button, by its place or by its name up to the house number. */
export function buildingOf(device: DeviceState): string {
  return building.exec(device.name)?.[0] ?? ''
}

/** The marker that a device belongs to. */
export function groupOf(device: DeviceState): string {
  if (layerOf(device.kind) !== 'button') return device.id
  const where = device.place || buildingOf(device)
  return where ? `${device.area}/${where}` : device.id
}

function spotOf(id: string, members: Located[], open: ReadonlyMap<string, Incident>): Spot {
  const first = members[0]!
  const incident = members.flatMap((device) => open.get(device.id) ?? []).sort(byUrgency)[0]
  const silent = members.filter((device) => conditionOf(device) === 'silent').map(silencePriority).sort()[0]
  return {
    id, incident, devices: members, layer: layerOf(first.kind), area: first.area,
    name: members.length > 1 ? buildingOf(first) || first.name : first.name || first.id,
    lat: mean(members.map((device) => device.lat)), lon: mean(members.map((device) => device.lon)),
    priority: incident?.priority ?? silent ?? null, acked: incident ? !isUnacked(incident) : true,
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The order in which a hand should meet them: the urgent first, then by name. */
export function byNeed(a: Spot, b: Spot): number {
  return (a.priority ?? 9) - (b.priority ?? 9) || Number(a.acked) - Number(b.acked)
    || (a.incident?.raised_at ?? 0) - (b.incident?.raised_at ?? 0) || (a.id < b.id ? -1 : 1)
}
