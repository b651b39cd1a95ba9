// The state behind the mock hub: devices, incidents and the numbered transitions between them.

const areas = ['东波', '莱阳', '洪安', '沪东一', '长岛', '朱家门', '寿光', '博兴'].map((name, i) => ({
  id: `c-${String(i + 1).padStart(2, '0')}`, name: `${name}居委`, name_en: `Committee ${i + 1}`,
}))

const rules = {
  'EB-SOS': { priority: 1, class: 'person', response: '1. 立即回拨老人，问清情况。\n2. 无人接听：通知最近的平安屋上门。\n3. 有伤病：转 120，并告知家属。', deadlines: { louder: 15, l1: 30, auto_dispatch: 60, l3: 180 } },
  'SH-PANIC': { priority: 1, class: 'duress', response: '先拨 110，再通知相邻两处平安屋只观察、不接近。', deadlines: { louder: 15, l1: 30, l3: 180 } },
  'SH-OFFLINE': { priority: 2, class: 'duty', response: '电话联系平安屋值守人员，核对网络与供电。', deadlines: { overdue: 900 } },
  'EB-OFFLINE': { priority: 3, class: 'tech', response: '电话联系老人，约定上门检查。', deadlines: { overdue: 14400 } },
}

export class World {
  constructor({ now = () => Date.now(), buttons = 190, houses = 42 } = {}) {
    this.now = now
    this.epoch = 'k7'
    this.seq = 100
    this.serial = 0
    this.version = 0
    this.areas = areas
    this.incidents = new Map()
    this.transitions = []
    this.latest = new Map()
    this.results = new Map()
    this.listeners = new Set()
    this.deviceListeners = new Set()
    this.devices = new Map()
    for (let i = 1; i <= houses; i++) this.addDevice('sh', 'safety_house', i)
    for (let i = 1; i <= buttons; i++) this.addDevice('btn', 'emergency_button', i)
  }

  addDevice(prefix, kind, i) {
    const house = kind === 'safety_house'
    const id = `${prefix}-${String(i).padStart(house ? 2 : 3, '0')}`
    const area = areas[i % areas.length]
    const name = house ? `${area.name.replace('居委', '')}${Math.ceil(i / areas.length)}号平安屋` : `${area.name.replace('居委', '')} ${1 + (i % 30)}号 ${100 + i}室`
    this.devices.set(id, {
      id, kind, name, area: area.id, person: house ? '' : `p-${id}`, lat: null, lon: null, power: house ? 'mains' : 'battery', gateway: '',
      model: '', address: '', place: '', interval_s: house ? 30 : 14400, online: true, last_seen: this.now() - (i % 50) * 1000, silent: false, out_of_service: false,
      metrics: { battery_pct: 60 + (i % 40), rssi_dbm: -60 - (i % 35) }, metrics_at: this.now() - 60_000, v: ++this.version,
    })
  }

  changeDevice(id, patch) {
    const next = { ...this.devices.get(id), ...patch, v: ++this.version }
    this.devices.set(id, next)
    for (const listener of this.deviceListeners) listener([next])
  }

  /** A press or panic: a new incident, or a further occurrence of the open one. */
  raise(device, rule, at = this.now()) {
    const open = this.incidents.get(this.latest.get(`${device} ${rule}`))
    if (open && !['resolved', 'closed'].includes(open.state)) return this.step(open, 'occurrence', 'engine', { occurrences: open.occurrences + 1, last_at: at, badges: ['repeat'] }, { same: true })
    const about = rules[rule]
    const known = this.devices.get(device)
    const deadlines = Object.entries(about.deadlines).map(([name, s]) => ({ name, due_at: at + s * 1000 }))
    const incident = {
      id: `I${String(++this.serial).padStart(4, '0')}`, version: 0, priority: about.priority, class: about.class, state: 'new', rule, device,
      area: known?.area ?? '', person: known?.person || undefined, active: true, occurrences: 1, raised_at: at, last_at: at,
      supervise_level: 0, deadlines, assignments: [], badges: [], response: about.response, causes: [`event/${this.seq}`],
    }
    this.latest.set(`${device} ${rule}`, incident.id)
    return this.step(incident, 'raised', 'engine', {}, { at })
  }

  press(device, at) {
    return this.raise(device, 'EB-SOS', at)
  }

  /** One transition: the next number, the incident after it, everybody told. */
  step(incident, kind, actor, patch, { text, at = this.now(), same = false } = {}) {
    const next = { ...incident, ...patch, version: incident.version + (same ? 0 : 1) }
    this.incidents.set(next.id, next)
    const event = { seq: ++this.seq, at, kind, actor, from: incident.state, to: next.state, ...(text ? { text } : {}), incident: next }
    this.transitions.push(event)
    for (const listener of this.listeners) listener(event)
    return next
  }

  /** An operator's command; answers [status, body]. */
  command(id, action, actor, { text = '', disposition = '' }, { key, ifMatch }) {
    const incident = this.incidents.get(id)
    if (!incident) return [404, { code: 'not_found', detail: 'no such incident' }]
    const known = key && this.results.get(`${id} ${action} ${key}`)
    if (known) return known
    if (action !== 'acknowledge' && action !== 'note') {
      if (!ifMatch) return [428, { code: 'precondition_required', detail: 'If-Match is missing' }]
      if (ifMatch !== `"${incident.version}"`) return [409, { code: 'conflict', reason: 'version', current: incident }]
    }
    const result = this.apply(incident, action, actor, text, disposition)
    if (key && result[0] === 200) this.results.set(`${id} ${action} ${key}`, result)
    return result
  }

  apply(incident, action, actor, text, disposition) {
    const now = this.now()
    const conflict = [409, { code: 'conflict', reason: `state: ${incident.state}`, current: incident }]
    switch (action) {
      case 'note': return [200, this.step(incident, 'noted', actor, {}, { text, same: true })]
      case 'acknowledge':
        if (incident.state !== 'new') return conflict
        return [200, this.step(incident, 'acknowledged', actor, { state: 'acknowledged', acknowledged_at: now, acknowledged_by: actor, deadlines: [{ name: 'progress', due_at: now + 120_000 }] })]
      case 'unacknowledge':
        if (incident.state !== 'acknowledged') return conflict
        return [200, this.step(incident, 'unacknowledged', actor, { state: 'new', acknowledged_at: undefined, acknowledged_by: undefined }, { text })]
      case 'resolve':
        if (['resolved', 'closed'].includes(incident.state)) return conflict
        if (incident.priority === 1 && (!disposition || text.length < 4)) return [422, { code: 'invalid', detail: 'an emergency needs disposition and text' }]
        return [200, this.step(incident, 'resolved', actor, { state: 'resolved', active: false, resolved_at: now, resolved_by: actor, disposition, deadlines: [] }, { text })]
      case 'close': return [200, this.step(incident, 'closed', actor, { state: 'closed', closed_at: now }, { text })]
      case 'reopen': return [200, this.step(incident, 'reopened', actor, { state: 'acknowledged' }, { text })]
    }
    return [404, { code: 'not_found', detail: action }]
  }

  snapshot() {
    return {
      as_of: { epoch: this.epoch, seq: this.seq }, server_ms: this.now(), areas: this.areas,
      incidents: [...this.incidents.values()].filter((i) => i.state !== 'closed'), devices: [...this.devices.values()],
    }
  }

  timeline(id) {
    return this.transitions.filter((event) => event.incident.id === id).map(({ incident: _, ...entry }) => ({ from: '', to: '', text: '', ...entry }))
  }

  /** The ledger was lost and begun anew: another epoch, small numbers, nothing open. */
  newEpoch() {
    this.epoch = `k${Date.now()}`
    this.seq = 3
    this.incidents.clear()
    this.transitions = []
  }
}
