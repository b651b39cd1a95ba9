// The state behind the mock hub: devices, incidents and the numbered transitions between them.

const areas = ['东波', '莱阳', '洪安', '沪东一', '长岛', '朱家门', '寿光', '博兴'].map((name, i) => ({
  id: `c-${String(i + 1).padStart(2, '0')}`, name: `${name}居委`, name_en: `Committee ${i + 1}`,
}))

/** Each committee is a field of a chessboard, four wide. */
const corner = (i) => [121.560 + (i % 4) * 0.009, 31.250 + Math.floor(i / 4) * 0.010]

export const areaMap = {
  type: 'FeatureCollection',
  features: areas.map((area, i) => {
    const [x, y] = corner(i)
    return { type: 'Feature', properties: area, geometry: { type: 'Polygon', coordinates: [[[x, y], [x + 0.009, y], [x + 0.009, y + 0.010], [x, y + 0.010], [x, y]]] } }
  }),
}

/** A place within a committee, always the same for the same name. */
function placeIn(i, name) {
  let hash = 7
  for (const letter of `${name}·${name}`) hash = (hash * 7919 + letter.codePointAt(0)) % 1_000_003
  const [x, y] = corner(i)
  return { lon: x + 0.0005 + (hash % 997) / 997 * 0.008, lat: y + 0.0005 + (hash % 887) / 887 * 0.009 }
}

const kinds = {
  safety_house: { prefix: 'sh', digits: 2, power: 'mains', interval: 30, name: (area, i) => `${area}${Math.ceil(i / areas.length)}号平安屋`, metrics: (i) => ({ battery_pct: 60 + (i % 40), rssi_dbm: -60 - (i % 35) }) },
  emergency_button: { prefix: 'btn', digits: 3, power: 'battery', interval: 14400, name: (area, i) => `${area} ${1 + (i % 30)}号 ${100 + i}室`, metrics: (i) => ({ battery_pct: 60 + (i % 40), rssi_dbm: -60 - (i % 35) }) },
  sorting_point: { prefix: 'wp', digits: 3, power: 'battery', interval: 900, name: (area, i) => `${area} ${i}号投放点`, metrics: (i) => ({ fill_wet_pct: (i * 37) % 97, fill_dry_pct: (i * 53) % 79, temp_c: 8 + (i % 9), battery_pct: 15 + (i % 80) }) },
  recyclables_point: { prefix: 'rp', digits: 2, power: 'battery', interval: 900, name: (area, i) => `${area} ${i}号可回收点`, metrics: (i) => ({ fill_recyclable_pct: (i * 29) % 90, temp_c: 9 + (i % 6), battery_pct: 40 + (i % 50) }) },
  garage: { prefix: 'gar', digits: 2, power: 'mains', interval: 300, name: (area, i) => `${area} ${i}号车库`, metrics: (i) => ({ temp_c: 11 + (i % 5), charging_a: i % 7, smoke_pct: 0 }) },
}

export const rules = {
  'EB-SOS': { priority: 1, class: 'person', response: '1. 立即回拨老人，问清情况。\n2. 无人接听：通知最近的平安屋上门。\n3. 有伤病：转 120，并告知家属。', english: '1. Call back at once and ask.\n2. No answer: ask the nearest safety house to look.\n3. Hurt or ill: 120, and tell the family.', deadlines: { louder: 15, l1: 30, auto_dispatch: 60, l3: 180 } },
  'SH-PANIC': { priority: 1, class: 'duress', response: '先拨 110，再通知相邻两处平安屋只观察、不接近。', english: 'Call 110 first; the two nearest safety houses only watch.', deadlines: { louder: 15, l1: 30, l3: 180 } },
  'SH-OFFLINE': { priority: 2, class: 'duty', response: '电话联系平安屋值守人员，核对网络与供电。', english: 'Telephone the guard; check network and power.', deadlines: { overdue: 900 } },
  'SH-FIRE': { priority: 1, class: 'fire', response: '先打 119。', english: 'Call 119 first.', deadlines: { louder: 15, l1: 30 } },
  'WS-FULL': { priority: 3, class: 'sanitation', response: '通知清运。', english: 'Have it collected.', deadlines: { overdue: 7200 } },
  'WS-SOON': { priority: 4, class: 'sanitation', order: true, contact: 'cleaning-1', component: 'wet', response: '安排清运。', english: 'Plan the collection.', deadlines: {} },
  'EB-OFFLINE': { priority: 3, class: 'tech', response: '电话联系老人，约定上门检查。', english: 'Telephone the person; agree on a visit.', deadlines: { overdue: 14400 } },
}

export class World {
  constructor({ now = () => Date.now(), buttons = 190, houses = 42, points = 91, recyclables = 23, garages = 48 } = {}) {
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
    const wanted = { safety_house: houses, emergency_button: buttons, sorting_point: points, recyclables_point: recyclables, garage: garages }
    for (const [kind, n] of Object.entries(wanted)) for (let i = 1; i <= n; i++) this.addDevice(kind, i)
  }

  addDevice(kind, i) {
    const about = kinds[kind]
    const id = `${about.prefix}-${String(i).padStart(about.digits, '0')}`
    const area = areas[i % areas.length]
    const name = about.name(area.name.replace('居委', ''), i)
    this.devices.set(id, {
      id, kind, name, area: area.id, person: kind === 'emergency_button' ? `p-${id}` : '', power: about.power, gateway: '',
      ...placeIn(i % areas.length, kind === 'emergency_button' ? name.replace(/ \d+室$/, '') : id), model: '', address: '', place: '',
      interval_s: about.interval, online: true, last_seen: this.now() - (i % 50) * 1000, silent: false, out_of_service: false,
      metrics: about.metrics(i), metrics_at: this.now() - 60_000, v: ++this.version,
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
      ...(about.order ? { order: true, contact: about.contact, component: about.component } : {}), supervise_level: 0, deadlines, assignments: [], badges: [], response: about.response, causes: [`event/${this.seq}`],
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
      case 'close':
        if (!['resolved', 'recovered'].includes(incident.state) || incident.active) return conflict
        if (incident.state === 'resolved' && incident.priority <= 2 && incident.resolved_by === actor) return [409, { ...conflict[1], reason: 'resolved by reviewer' }]
        return [200, this.step(incident, 'closed', actor, { state: 'closed', closed_at: now }, { text })]
      case 'reopen':
        if (incident.state !== 'resolved') return conflict
        return [200, this.step(incident, 'reopened', actor, { state: 'acknowledged' }, { text })]
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
