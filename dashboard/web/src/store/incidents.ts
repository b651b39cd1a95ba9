import type { Incident, Priority, Snapshot, Transition } from '../api/types'

const handlingStates = new Set(['acknowledged', 'verifying', 'dispatched', 'accepted', 'on_scene'])
const doneStates = new Set(['resolved', 'closed'])

export type Tab = 'new' | 'handling' | 'orders' | 'recovered' | 'done'
export const tabs: readonly Tab[] = ['new', 'handling', 'orders', 'recovered', 'done']

/** A silent order waits for its contact, not for this desk: it is never counted as unacknowledged. */
export const isOrder = (incident: Incident): boolean => incident.state === 'new' && incident.order === true
export const isUnacked = (incident: Incident): boolean => incident.state === 'new' && !incident.order
export const isHandling = (incident: Incident): boolean => handlingStates.has(incident.state)
export const isDone = (incident: Incident): boolean => doneStates.has(incident.state)
export const isOpen = (incident: Incident): boolean => incident.state !== 'closed' && incident.state !== 'merged'

/** A repeat is shown as a count. */
export const shownBadges = (incident: Incident): string[] => (incident.badges ?? []).filter((badge) => badge !== 'repeat')

/** The tab an incident belongs to; null for one that is listed nowhere (merged, or done before `dayStart`). */
export function tabOf(incident: Incident, dayStart: number): Tab | null {
  if (isUnacked(incident)) return 'new'
  if (isOrder(incident)) return 'orders'
  if (isHandling(incident)) return 'handling'
  if (incident.state === 'recovered') return 'recovered'
  if (!isDone(incident)) return null
  return Math.max(incident.resolved_at ?? 0, incident.closed_at ?? 0) >= dayStart ? 'done' : null
}

/** The duty order: priority, then unacknowledged first, then oldest first. Total, so that equal rows never swap. */
export function byUrgency(a: Incident, b: Incident): number {
  return a.priority - b.priority
    || Number(isUnacked(b)) - Number(isUnacked(a))
    || a.raised_at - b.raised_at
    || (a.id < b.id ? -1 : 1)
}

function byDone(a: Incident, b: Incident): number {
  return (b.resolved_at ?? b.closed_at ?? 0) - (a.resolved_at ?? a.closed_at ?? 0) || (a.id < b.id ? -1 : 1)
}

/**
 * All incidents the page knows. Applying the same transition twice, or an old one after a newer one, changes nothing:
 * each incident remembers the number of the transition that made it.
 */
export class IncidentBook {
  private readonly incidents = new Map<string, Incident>()
  private readonly made = new Map<string, number>()
  /** Transitions up to here are part of the snapshot. */
  private base = 0
  private epoch = ''

  get(id: string): Incident | undefined {
    return this.incidents.get(id)
  }

  all(): Incident[] {
    return [...this.incidents.values()]
  }

  reset(snapshot: Pick<Snapshot, 'as_of' | 'incidents'>): void {
    this.incidents.clear()
    this.made.clear()
    this.base = snapshot.as_of.seq
    this.epoch = snapshot.as_of.epoch
    for (const incident of snapshot.incidents ?? []) this.incidents.set(incident.id, incident)
  }

  /** Applies transitions and gives those that were news. Another ledger's transitions are refused. */
  apply(epoch: string, events: readonly Transition[]): Transition[] {
    if (epoch !== this.epoch) return []
    return events.filter((event) => this.applyOne(event))
  }

  private applyOne(event: Transition): boolean {
    const { id } = event.incident
    if (event.seq <= (this.made.get(id) ?? this.base)) return false
    this.made.set(id, event.seq)
    const known = this.incidents.get(id)
    if (!known || event.incident.version >= known.version) this.incidents.set(id, event.incident)
    return true
  }

  /** Takes an incident that a command answered with, unless the stream already brought a newer one. */
  overlay(incident: Incident): void {
    const known = this.incidents.get(incident.id)
    if (!known || incident.version > known.version) this.incidents.set(incident.id, incident)
  }

  /** Forgets what was closed before `before`: a console stays open for weeks. */
  prune(before: number): void {
    for (const [id, incident] of this.incidents) {
      if (isOpen(incident) || (incident.closed_at ?? incident.last_at) >= before) continue
      this.incidents.delete(id)
      // Its number stays: a late replay must not bring it back.
    }
  }
}

export type Counters = Record<Priority, { unacked: number; handling: number }>

/** What the console shows, computed once per change. */
export interface Board {
  rows: Record<Tab, Incident[]>
  unacked: Incident[]
  counters: Counters
  openByDevice: Map<string, Incident>
}

export function board(incidents: Incident[], dayStart: number): Board {
  const rows: Record<Tab, Incident[]> = { new: [], handling: [], orders: [], recovered: [], done: [] }
  const counters = emptyCounters()
  const openByDevice = new Map<string, Incident>()
  for (const incident of incidents) {
    const tab = tabOf(incident, dayStart)
    if (tab) rows[tab].push(incident)
    if (tab === 'new') counters[incident.priority].unacked++
    if (tab === 'handling') counters[incident.priority].handling++
    if (tab === 'new' || tab === 'handling' || tab === 'orders') keepWorst(openByDevice, incident)
  }
  for (const tab of tabs) rows[tab].sort(tab === 'done' ? byDone : byUrgency)
  return { rows, unacked: rows.new, counters, openByDevice }
}

function emptyCounters(): Counters {
  const zero = () => ({ unacked: 0, handling: 0 })
  return { 1: zero(), 2: zero(), 3: zero(), 4: zero() }
}

function keepWorst(byDevice: Map<string, Incident>, incident: Incident): void {
  const known = byDevice.get(incident.device)
  if (!known || byUrgency(incident, known) < 0) byDevice.set(incident.device, incident)
}
