import type { DeviceState, Incident, IncidentState, Priority, Transition } from '../../src/api/types'

export function incident(patch: Partial<Incident> = {}): Incident {
  return {
    id: 'A', version: 1, priority: 1, class: 'person', state: 'new', rule: 'EB-SOS', device: 'btn-1', active: true, occurrences: 1,
    raised_at: 1_000, last_at: 1_000, supervise_level: 0, deadlines: [], assignments: [], badges: [], causes: [], ...patch,
  }
}

export function transition(seq: number, patch: Partial<Incident> = {}, kind = 'raised'): Transition {
  return { seq, at: seq * 10, kind, actor: 'engine', incident: incident(patch) }
}

export function device(patch: Partial<DeviceState> = {}): DeviceState {
  return {
    id: 'btn-1', kind: 'emergency_button', name: '', area: '', person: '', lat: null, lon: null, power: 'battery', gateway: '', model: '', address: '', place: '',
    interval_s: 300, online: true, last_seen: 1, silent: false, out_of_service: false, metrics: {}, metrics_at: 0, v: 1, ...patch,
  }
}

const states: IncidentState[] = ['new', 'acknowledged', 'recovered', 'resolved', 'closed']

/** A ledger: numbers without holes, versions that grow with each workflow step of an incident. */
export function ledger(steps: readonly { id: number; state: number; repeat: boolean }[]): Transition[] {
  const known = new Map<string, Incident>()
  return steps.map((step, index) => {
    const id = `I${step.id}`
    const before = known.get(id)
    const same = step.repeat && before !== undefined
    const next = incident({
      ...before, id, priority: ((step.id % 4) + 1) as Priority,
      state: same ? before.state : states[step.state % states.length]!,
      version: (before?.version ?? 0) + (same ? 0 : 1), occurrences: (before?.occurrences ?? 0) + 1,
    })
    known.set(id, next)
    return { seq: index + 1, at: index, kind: same ? 'occurrence' : 'raised', actor: 'engine', incident: next }
  })
}
