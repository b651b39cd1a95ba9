import { computed, inject, nextTick, shallowRef, type InjectionKey } from 'vue'
import type { Area, Incident, Transition, User } from '../api/types'
import type { ToPage } from '../stream/protocol'
import { DeviceBook } from './devices'
import { mergeLog } from './eventlog'
import { board, IncidentBook } from './incidents'
import { LinkState } from './link'

export interface WatchPorts {
  /** Monotonic milliseconds. */
  now(): number
  hidden(): boolean
  /** Runs before the next paint. */
  frame(task: () => void): void
  later(ms: number, task: () => void): void
  /** Transitions up to this number were painted. */
  seen(seq: number): void
}

const beatMs = 250
/** Reports of devices are drawn together: a fleet of thousands must not redraw the screen with each of them. */
const deviceEvery = 250
const pruneEvery = 3_600_000
const keepDone = 26 * 3_600_000

/**
 * The page's state: plain books behind shallow ticks, so that ten thousand incidents cost no proxies. The tick moves at
 * most once a frame; while the page is hidden it moves at once, because frames stand still there.
 */
export function createWatch(ports: WatchPorts) {
  const incidents = new IncidentBook()
  const devices = new DeviceBook()
  const link = new LinkState(ports.now)
  const incidentTick = shallowRef(0)
  const deviceTick = shallowRef(0)
  const now = shallowRef(0)
  const tone = shallowRef(link.tone())
  const age = shallowRef(0)
  const backlog = shallowRef(0)
  /** Codes of what the hub says is out of order, as of its last heartbeat. */
  const degraded = shallowRef<readonly string[]>([])
  const loaded = shallowRef(false)
  const snapshots = shallowRef(0)
  const log = shallowRef<readonly Transition[]>([])
  const areas = shallowRef<ReadonlyMap<string, Area>>(new Map())
  const user = shallowRef<User | null>(null)
  const signedOut = shallowRef(false)
  const build = shallowRef('')
  const newBuild = shallowRef(false)
  const selected = shallowRef<string | null>(null)
  const listeners = new Set<(event: Transition, replayed: boolean) => void>()
  let dirty = { incidents: false, devices: false, scheduled: false }
  let devicesWait = false
  let epoch = ''
  let painted = 0
  let newest = 0
  let prunedAt = 0

  const dayStart = computed(() => new Date(now.value).setHours(0, 0, 0, 0))
  const view = computed(() => {
    void incidentTick.value
    return board(incidents.all(), dayStart.value)
  })
  const fleet = computed(() => {
    void deviceTick.value
    return devices.all()
  })

  function touch(what: 'incidents' | 'devices'): void {
    dirty[what] = true
    if (dirty.scheduled) return
    dirty.scheduled = true
    if (ports.hidden()) flush()
    else ports.frame(flush)
  }

  function touchDevices(): void {
    if (devicesWait) return
    devicesWait = true
    ports.later(deviceEvery, () => {
      devicesWait = false
      touch('devices')
    })
  }

  function flush(): void {
    const changed = dirty
    dirty = { incidents: false, devices: false, scheduled: false }
    if (changed.incidents) incidentTick.value++
    if (changed.devices) deviceTick.value++
    if (changed.incidents) void reportSeen()
  }

  /** Two frames after the change is in the document it has been painted. */
  async function reportSeen(): Promise<void> {
    const seq = newest
    await nextTick()
    if (ports.hidden() || seq <= painted) return
    ports.frame(() => ports.frame(() => {
      if (ports.hidden() || seq <= painted) return
      painted = seq
      ports.seen(seq)
    }))
  }

  function receive(messages: readonly ToPage[]): void {
    for (const message of messages) receiveOne(message)
  }

  function receiveOne(message: ToPage): void {
    switch (message.m) {
      case 'welcome': return onWelcome(message.build)
      case 'snapshot': return onSnapshot(message)
      case 'events': return onEvents(message)
      case 'past':
        if (message.epoch === epoch) log.value = mergeLog(log.value, message.events)
        return
      case 'devices':
        devices.apply(message.devices)
        return touchDevices()
      case 'pulse':
        link.take(message.pulse)
        return beat()
      case 'auth':
        signedOut.value = true
    }
  }

  function onWelcome(next: string): void {
    newBuild.value = build.value !== '' && next !== build.value
    build.value ||= next
  }

  function onSnapshot({ snapshot }: Extract<ToPage, { m: 'snapshot' }>): void {
    if (snapshot.as_of.epoch !== epoch) log.value = [] // the numbers of another ledger say nothing here
    epoch = snapshot.as_of.epoch
    incidents.reset(snapshot)
    devices.reset(snapshot.devices ?? [])
    areas.value = new Map((snapshot.areas ?? []).map((area) => [area.id, area]))
    newest = snapshot.as_of.seq
    painted = Math.min(painted, newest)
    loaded.value = true
    snapshots.value++
    touch('incidents')
    touch('devices')
  }

  function onEvents(message: Extract<ToPage, { m: 'events' }>): void {
    const news = incidents.apply(message.epoch, message.events)
    if (news.length === 0) return
    newest = Math.max(newest, news[news.length - 1]!.seq)
    log.value = mergeLog(log.value, news)
    for (const event of news) for (const listener of listeners) listener(event, message.replayed)
    touch('incidents')
  }

  /** Moves the clocks. While the link is dead the time stands still: an age that runs on would look alive. */
  function beat(): void {
    tone.value = link.tone()
    age.value = link.age()
    backlog.value = link.backlog
    if (link.degraded.join() !== degraded.value.join()) degraded.value = link.degraded
    const alive = tone.value !== 'stale' && tone.value !== 'offline'
    if (alive || now.value === 0) now.value = Math.floor(link.serverNow() / 1000) * 1000 || Date.now()
    if (now.value - prunedAt < pruneEvery) return
    prunedAt = now.value
    incidents.prune(now.value - keepDone)
  }

  function onTransition(listener: (event: Transition, replayed: boolean) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function overlay(incident: Incident): void {
    incidents.overlay(incident)
    touch('incidents')
  }

  function incident(id: string): Incident | undefined {
    void incidentTick.value
    return incidents.get(id)
  }

  function device(id: string) {
    void deviceTick.value
    return devices.get(id)
  }

  return {
    receive, beat, beatMs, onTransition, overlay, incident, device, reportSeen,
    serverNow: () => link.serverNow(),
    view, fleet, areas, log, now, tone, age, backlog, degraded, loaded, snapshots, user, signedOut, build, newBuild, selected, dayStart,
    /** Nothing is missing and nothing is late: only now may the page say "none". */
    fresh: computed(() => loaded.value && tone.value === 'live'),
    dead: computed(() => tone.value === 'stale' || tone.value === 'offline'),
  }
}

export type Watch = ReturnType<typeof createWatch>
export const watchKey: InjectionKey<Watch> = Symbol('watch')

export function useWatch(): Watch {
  const watch = inject(watchKey)
  if (!watch) throw new Error('useWatch outside of the app')
  return watch
}
