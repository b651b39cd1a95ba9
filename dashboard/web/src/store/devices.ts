import type { DeviceState, Priority } from '../api/types'

/** Latest value per device; an older version never replaces a newer one. */
export class DeviceBook {
  private readonly devices = new Map<string, DeviceState>()
  /** Ids in order; empty = to be sorted anew. Ten thousand are sorted when one is added, not whenever one reports. */
  private order: string[] = []

  get(id: string): DeviceState | undefined {
    return this.devices.get(id)
  }

  /** All of them, by id. */
  all(): DeviceState[] {
    if (this.order.length !== this.devices.size) this.order = [...this.devices.keys()].sort(byId)
    return this.order.map((id) => this.devices.get(id)!)
  }

  reset(devices: readonly DeviceState[]): void {
    this.devices.clear()
    this.order = []
    for (const device of devices) this.devices.set(device.id, device)
  }

  apply(devices: readonly DeviceState[]): void {
    for (const device of devices) {
      const known = this.devices.get(device.id)
      if (!known || device.v > known.v) this.devices.set(device.id, device)
    }
  }
}

export const fullAbove = 95
export const nearlyFullAbove = 80

export type Condition = 'normal' | 'silent' | 'offline' | 'unknown' | 'out_of_service' | 'full' | 'nearly_full'
export const conditions: readonly Condition[] = ['normal', 'nearly_full', 'full', 'silent', 'offline', 'unknown', 'out_of_service']

/** The fullest of a device's bins in percent; 0 for a device without bins. */
export function fillOf(device: DeviceState): number {
  return Object.entries(device.metrics ?? {}).reduce((most, [name, value]) => (/^fill_\w+_pct$/.test(name) ? Math.max(most, value) : most), 0)
}

/** One word for a device: put out of service by a person, judged silent by the hub, without a connection, never heard, full. */
export function conditionOf(device: DeviceState): Condition {
  if (device.out_of_service) return 'out_of_service'
  if (device.silent) return 'silent'
  if (device.last_seen === 0) return 'unknown'
  return device.online === false ? 'offline' : levelOf(fillOf(device))
}

function levelOf(fill: number): Condition {
  if (fill >= fullAbove) return 'full'
  return fill >= nearlyFullAbove ? 'nearly_full' : 'normal'
}

/** The priority that the shipped rules give to this kind's silence, for colour where no incident is open yet. */
export function silencePriority(device: DeviceState): Priority {
  return device.kind === 'safety_house' ? 2 : 3
}

export type Tally = Record<Condition | 'total', number>

export function tally(devices: readonly DeviceState[]): Tally {
  const counts = { total: devices.length, ...Object.fromEntries(conditions.map((condition) => [condition, 0])) } as Tally
  for (const device of devices) counts[conditionOf(device)]++
  return counts
}

const idOrder = new Intl.Collator('en', { numeric: true })

function byId(a: string, b: string): number {
  return idOrder.compare(a, b)
}
