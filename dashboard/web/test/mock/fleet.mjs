// The mock's side of the catalog, the waste forecasts, the registry and the dead letters.
import { serveArchive } from './tiles.mjs'
import { areaMap, rules } from './world.mjs'

const hour = 3_600_000

export const catalog = {
  events: [],
  kinds: [
    ['emergency_button', '一键呼叫设备', 'Emergency button', ['battery_pct', 'rssi_dbm']],
    ['safety_house', '平安屋', 'Safety house', ['battery_pct', 'rssi_dbm']],
    ['sorting_point', '生活垃圾投放点', 'Sorting point', ['fill_wet_pct', 'fill_dry_pct', 'temp_c', 'battery_pct']],
    ['recyclables_point', '可回收物服务点', 'Recyclables point', ['fill_recyclable_pct', 'temp_c']],
    ['garage', '非机动车库', 'Bicycle garage', ['temp_c', 'charging_a', 'smoke_pct']],
    ['gateway', '网关', 'Gateway', ['rssi_dbm']],
  ].map(([id, zh, en, metrics]) => ({ id, title: { zh, en }, metrics, events: [], report_interval_s: 900 })),
  metrics: [
    ['battery_pct', '%', '电池电量', 'Battery'], ['rssi_dbm', 'dBm', '信号强度', 'Signal strength'], ['temp_c', '°C', '温度', 'Temperature'],
    ['fill_wet_pct', '%', '湿垃圾满溢度', 'Food waste fill'], ['fill_dry_pct', '%', '干垃圾满溢度', 'Residual waste fill'],
    ['fill_recyclable_pct', '%', '可回收物满溢度', 'Recyclables fill'], ['charging_a', 'A', '充电电流', 'Charging current'], ['smoke_pct', '%', '烟雾浓度', 'Smoke density'],
  ].map(([name, unit, zh, en]) => ({ name, unit, zh, en })),
  models: [
    { id: 'sim-button-lora', title: { zh: '仿真按钮 LoRa', en: 'Simulated button, LoRa' }, kind: 'emergency_button', power: 'battery', report_interval_s: 14400, profile: '' },
    { id: 'em400', title: { zh: '满溢传感器', en: 'Fill sensor' }, kind: 'sorting_point', power: 'battery', report_interval_s: 900, profile: 'milesight-em400' },
  ],
}

const named = { 'WS-SOON': ['安排清运', 'Collection to plan'], 'WS-FULL': ['投放点将满', 'Point nearly full'] }
const ruleNames = Object.entries(rules).map(([id, { response, english }]) => ({
  id, title: { zh: named[id]?.[0] ?? '', en: named[id]?.[1] ?? '' }, kind: 'window', scope: [], annunciate: 'alarm', response, response_en: english,
}))

/** Forecasts from the levels: some soon, some unknown, some emptied just now. */
export function points(world) {
  const now = world.now()
  const streams = { fill_wet_pct: 'wet', fill_dry_pct: 'dry', fill_recyclable_pct: 'recyclable' }
  return [...world.devices.values()].filter((device) => device.kind.endsWith('_point')).map((device, i) => ({
    device: device.id,
    streams: Object.entries(streams).filter(([metric]) => device.metrics[metric] !== undefined).map(([metric, stream]) => {
      const fill = device.metrics[metric]
      const rate = i % 5 === 0 ? 0 : 2 + (i % 7)
      return {
        stream, fill_pct: fill, at: now - 60_000, rate_pct_h: rate, full_at: rate === 0 ? 0 : Math.round(now + ((100 - fill) / rate) * hour),
        emptied_at: now - (1 + (i % 20)) * hour,
      }
    }),
  }))
}

export function deadLetters() {
  const about = (n) => ({
    stage: n % 2 ? 'decode' : 'map', reason: n % 2 ? 'payload is not JSON' : 'no metric named "foo"', device: `wp-${String(n).padStart(3, '0')}`,
    topic: `application/1/device/24e124${n}/event/up`, payload: n % 3 ? `{"battery": "${n}` : { object: { foo: n, bar: 'x'.repeat(200) } },
  })
  return Array.from({ length: 60 }, (_, i) => ({ n: 60 - i, at: Date.UTC(2026, 0, 10, 3, 60 - i), record: about(60 - i), redriven_at: 0 }))
}

/** A registry of what the page may change; secrets are never read back. */
export class Registry {
  constructor(world) {
    this.world = world
    this.serial = 0
  }

  secret() {
    return `s3cret-${++this.serial}`
  }

  registration(id) {
    const found = this.world.devices.get(id)
    if (!found) return null
    const { kind, name, area, lat, lon, gateway, power, interval_s, model, address, place, person, out_of_service } = found
    const children = [...this.world.devices.values()].filter((device) => device.gateway === id).map((device) => device.id)
    return { id, kind, name, area, lat, lon, gateway, power, report_interval_s: interval_s, model, address, settings: found.settings ?? '', place, person, out_of_service, has_secret: true, children }
  }

  faults(body) {
    const faults = []
    if (body.id !== undefined && !/^[a-z0-9-]+$/.test(body.id)) faults.push({ location: 'body.id', message: 'want a-z, 0-9 and -' })
    if (body.gateway && !this.world.devices.has(body.gateway)) faults.push({ location: 'body.gateway', message: 'there is no such gateway' })
    return faults
  }

  put(id, { report_interval_s = 900, secret, ...fields }) {
    const known = this.world.devices.get(id) ?? { id, name: '', area: '', person: '', power: '', gateway: '', lat: null, lon: null, model: '', address: '', place: '', out_of_service: false, online: null, last_seen: 0, silent: false, metrics: {}, metrics_at: 0 }
    this.world.devices.set(id, known)
    this.world.changeDevice(id, { ...fields, id, interval_s: report_interval_s })
    return this.registration(id)
  }
}

export const fleetRoutes = ({ json, problem }) => {
  const may = (permission, handle) => (call) => (call.user.permissions.includes(permission)
    ? handle(call) : problem(call.response, 403, { code: 'forbidden', detail: 'Your role may not do this.' }))
  const invalid = (response, errors) => problem(response, 422, { code: 'invalid', detail: 'The request is not valid.', errors })
  const missing = (response) => problem(response, 404, { code: 'not_found', detail: 'There is no such device.' })

  function add({ mock, response, body }) {
    if (mock.world.devices.has(body.id)) return problem(response, 409, { code: 'exists', detail: 'There is one of this id already.' })
    const faults = mock.registry.faults(body)
    if (faults.length) return invalid(response, faults)
    json(response, 201, { device: mock.registry.put(body.id, body), secret: body.secret ? '' : mock.registry.secret() })
  }

  function put({ mock, response, body, id }) {
    if (!mock.world.devices.has(id)) return missing(response)
    const faults = mock.registry.faults(body)
    if (faults.length) return invalid(response, faults)
    json(response, 200, { device: mock.registry.put(id, body), secret: '' })
  }

  function importCsv({ mock, response, body }) {
    const [head, ...rows] = body.trim().split('\n').map((line) => line.split(','))
    const faults = rows.flatMap((row, i) => row.flatMap((cell, column) => (
      head[column] === 'kind' && !catalog.kinds.some((kind) => kind.id === cell) ? [{ location: `body[${i + 2}].kind`, row: i + 2, column: 'kind', message: `want a known kind, got "${cell}"` }] : [])))
    if (faults.length) return problem(response, 422, { code: 'invalid', detail: 'Nothing was imported: the file has faults.', errors: faults })
    const fresh = rows.filter(([id]) => !mock.world.devices.has(id))
    for (const [id, kind, name] of rows) mock.registry.put(id, { kind, name: name ?? '', area: '', lat: null, lon: null, gateway: '', power: '', report_interval_s: 0 })
    json(response, 200, { added: fresh.length, changed: rows.length - fresh.length, secrets: Object.fromEntries(fresh.map(([id]) => [id, mock.registry.secret()])) })
  }

  function side({ mock, response, query }, list) {
    const before = Number(query.get('cursor') || Infinity)
    const limit = Number(query.get('limit') ?? 100)
    const items = mock[list].filter((item) => item.n < before).slice(0, limit)
    const last = items.at(-1)?.n ?? 0
    json(response, 200, { items, next: mock[list].some((item) => item.n < last) ? String(last) : '' })
  }

  function redrive({ mock, response, path }) {
    const item = mock.deadletters.find((one) => one.n === Number(path.split('/')[3]))
    if (!item) return json(response, 200, { outcome: 'gone', points: 0, reason: '' })
    if (item.n % 2) return json(response, 200, { outcome: 'undecodable', points: 0, reason: item.record.reason })
    item.redriven_at = mock.world.now()
    json(response, 200, { outcome: 'stored', points: 3, reason: '' })
  }

  return [
    ['GET', /^\/catalog$/, ({ response }) => json(response, 200, catalog)],
    ['GET', /^\/rules$/, ({ response }) => json(response, 200, { items: ruleNames, next: '' })],
    ['GET', /^\/areas\/map$/, ({ response }) => json(response, 200, areaMap)],
    ['GET', /^\/map\/basemap$/, ({ mock, response }) => json(response, 200, mock.basemap)],
    ['GET', /^\/map\/tiles\.pmtiles$/, serveArchive],
    ['GET', /^\/points$/, ({ mock, response }) => json(response, 200, { items: points(mock.world), next: '' })],
    ['POST', /^\/devices$/, may('devices', add)],
    ['PUT', /^\/devices\/[^/]+$/, may('devices', put)],
    ['DELETE', /^\/devices\/[^/]+$/, may('devices', ({ mock, response, id }) => {
      mock.world.devices.delete(id)
      response.writeHead(204).end()
    })],
    ['GET', /^\/devices\/[^/]+\/registration$/, (({ mock, response, id }) => {
      const found = mock.registry.registration(id)
      if (found) json(response, 200, found)
      else missing(response)
    })],
    ['POST', /^\/devices\/[^/]+\/secret$/, may('devices', ({ mock, response }) => json(response, 200, { secret: mock.registry.secret() }))],
    ['POST', /^\/registry\/devices\.csv$/, may('devices', importCsv)],
    ['GET', /^\/journal$/, may('journal', ({ mock, response, query }) => json(response, 200, {
      items: [{ lane: query.get('lane'), position: 'x', id: 7, at: mock.world.now() - 5_000, kind: 'publish', device: query.get('device'), client: 'c', topic: `wh/v1/${query.get('device')}/${query.get('lane')}`, qos: 1, retain: false, dup: false, payload: { battery_pct: 87 }, truncated: false }],
      next: '',
    }))],
    ['GET', /^\/journal\/deadletters$/, may('journal', (call) => side(call, 'deadletters'))],
    ['GET', /^\/journal\/rejects$/, may('journal', (call) => side(call, 'rejects'))],
    ['POST', /^\/journal\/deadletters\/\d+\/redrive$/, may('devices', redrive)],
  ]
}
