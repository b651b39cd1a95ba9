import type { DeviceState } from '../api/types'
import { conditionOf } from '../store/devices'

/** Questions that are asked again and again. */
export type SavedView = 'lost' | 'battery'
export const savedViews: readonly SavedView[] = ['lost', 'battery']

const lowBattery = 20

export interface Filter {
  q?: string
  kind?: string
  area?: string
  state?: string
  view?: SavedView
}

/** Whether a device is among those asked for; `q` is in small letters. */
export function wanted(device: DeviceState, { q, kind, area, state, view }: Filter, areaName: string): boolean {
  if ((kind && device.kind !== kind) || (area && device.area !== area) || (state && conditionOf(device) !== state)) return false
  if (view && !inView(device, view)) return false
  return !q || `${device.id} ${device.name} ${areaName} ${device.model} ${device.address} ${device.place}`.toLowerCase().includes(q)
}

function inView(device: DeviceState, view: SavedView): boolean {
  if (view === 'lost') return ['silent', 'offline'].includes(conditionOf(device))
  const battery = device.metrics?.battery_pct
  return battery !== undefined && battery < lowBattery
}
