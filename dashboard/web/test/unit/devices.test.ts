import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { ApiError } from '../../src/api/client'
import type { Catalog, Registration } from '../../src/api/types'
import { decode, parse, preview } from '../../src/devices/csv'
import { wanted } from '../../src/devices/filter'
import { bodyOf, check, faultsOf, firstFault, formOf } from '../../src/devices/form'
import { pan, spanOf, toColumns, zoom } from '../../src/devices/series'
import { letterOf } from '../../src/maintain/record'
import { createCatalog } from '../../src/store/catalog'
import { device } from './make'

const hour = 3_600_000

describe('the time that is looked at', () => {
  it('goes along with the clock, or stands still', () => {
    expect(spanOf('24h', 100 * hour)).toEqual({ from: 76 * hour, to: 100 * hour })
    expect(pan('24h', 100 * hour, -1)).toEqual({ from: 70 * hour, to: 94 * hour })
    expect(zoom('24h', 100 * hour, 0.5)).toEqual({ from: 82 * hour, to: 94 * hour })
  })

  it('never goes beyond now, and panning keeps its length', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 400 }), fc.constantFrom(-1 as const, 1 as const), fc.constantFrom(0.5, 2), (ago, length, direction, factor) => {
      const now = 10_000 * hour
      const look = { from: now - (ago + length) * hour, to: now - ago * hour }
      const moved = pan(look, now, direction)
      expect(moved.to).toBeLessThanOrEqual(now)
      expect(moved.to - moved.from).toBe(look.to - look.from)
      const closer = zoom(look, now, factor)
      expect(closer.to).toBeLessThanOrEqual(now)
      expect(closer.to - closer.from).toBe(length * hour * factor)
    }))
  })

  it('marks what came late and nothing else', () => {
    const point = (ts: number, late?: boolean) => ({ ts, min: 1, max: 3, mean: 2, n: 1, late })
    const [, , , , late] = toColumns({ device: 'd', metric: 'm', from: 0, to: 9, every_ms: 1000, points: [point(0), point(1000, true), point(9000, true)] }, 0)
    expect(late).toEqual([null, 2, null, 2])
  })
})

describe('the device form', () => {
  const known: Registration = {
    id: 'wp-1', kind: 'sorting_point', name: '一号', area: 'c-1', lat: 31.2, lon: 121.5, gateway: '', power: 'battery', report_interval_s: 900, model: '', address: '',
    settings: '', place: '', person: '', out_of_service: false, has_secret: true, children: [],
  }

  it('sends back what it was given', () => {
    expect(bodyOf(formOf(known))).toEqual({ kind: 'sorting_point', name: '一号', area: 'c-1', lat: 31.2, lon: 121.5, power: 'battery', report_interval_s: 900, out_of_service: false })
    expect(bodyOf(formOf({ ...known, lat: 0, lon: 0 }))).toMatchObject({ lat: 0, lon: 0 })
  })

  it('finds the faults that need no question', () => {
    const empty = formOf(null)
    expect(check(empty, true)).toEqual({ id: 'form.fault.id', kind: 'form.fault.kind' })
    expect(check({ ...formOf(known), lat: '91', lon: '' }, false)).toEqual({ lat: 'form.fault.range', lon: 'form.fault.both' })
    expect(check({ ...formOf(known), lat: '北', report_interval_s: '0', secret: 'short' }, false)).toEqual({ lat: 'form.fault.range', report_interval_s: 'form.fault.range', secret: 'form.fault.secret' })
    expect(check(formOf(known), false)).toEqual({})
  })

  it('puts the hub’s faults at their fields, and the first of them gets the focus', () => {
    const faults = faultsOf(new ApiError({ status: 422, code: 'invalid', errors: [{ location: 'body.gateway', message: 'want a gateway' }, { location: 'body.area', message: 'want an area' }, { location: 'body', message: 'odd' }] }))
    expect(faults).toEqual({ gateway: 'want a gateway', area: 'want an area', form: 'odd' })
    expect(firstFault(faults)).toBe('area')
    expect(faultsOf(new ApiError({ status: 409, code: 'exists' }))).toEqual({ id: 'form.fault.exists' })
    expect(faultsOf(new ApiError({ status: 0, code: 'network' }))).toEqual({ form: 'form.fault.network' })
    expect(faultsOf(new ApiError({ status: 503, code: 'unavailable', detail: 'later' }))).toEqual({ form: 'problem.unavailable' })
  })
})

describe('a CSV file', () => {
  it('is split as it was joined', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '龙', ',', '"', '\n', ' ') })
    fc.assert(fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (rows) => {
      const text = rows.map((row) => row.map((value) => `"${value.replace(/"/g, '""')}"`).join(',')).join('\r\n')
      expect(parse(text)).toEqual(rows.filter((row) => row.some((value) => value.trim() !== '')))
    }))
    expect(parse('a,b,\n1,,3\n\n')).toEqual([['a', 'b', ''], ['1', '', '3']])
  })

  it('says how many of its ids are known', () => {
    expect(preview('Kind, ID\r\ngarage,g-1\r\ngarage,g-2\r\n', (id) => id === 'g-2')).toEqual({ header: ['kind', 'id'], rows: [['garage', 'g-1'], ['garage', 'g-2']], known: 1 })
  })

  it('may come from a spreadsheet in China', () => {
    expect(decode(new Uint8Array([0xb3, 0xb5, 0xbf, 0xe2]).buffer)).toEqual({ text: '车库', converted: true })
    expect(decode(new TextEncoder().encode('车库').buffer as ArrayBuffer)).toEqual({ text: '车库', converted: false })
  })
})

describe('the saved views', () => {
  it('ask for lost devices and weak batteries', () => {
    expect([device({ silent: true }), device({ online: false }), device()].map((one) => wanted(one, { view: 'lost' }, ''))).toEqual([true, true, false])
    expect([device({ metrics: { battery_pct: 19.9 } }), device({ metrics: { battery_pct: 20 } }), device()].map((one) => wanted(one, { view: 'battery' }, ''))).toEqual([true, false, false])
    expect(wanted(device({ address: '24E124' }), { q: '24e1' }, '')).toBe(true)
  })
})

describe('the catalog', () => {
  beforeEach(() => localStorage.clear())
  const catalog: Catalog = { events: [], kinds: [], metrics: [{ name: 'soil_kpa', unit: 'kPa', zh: '土壤张力', en: 'Soil tension' }], models: [] }

  it('is there at once the next time, and stays when the hub does not answer', async () => {
    const rules = [{ id: 'XX-1', title: { zh: '新规则', en: 'New rule' }, kind: 'event' as const, scope: [], annunciate: 'alarm' as const }]
    const store = createCatalog({ catalog: async () => catalog, rules: async () => rules, areaMap: async () => [] })
    expect(store.catalog.value.metrics).toEqual([])
    await store.load()
    const gone = () => Promise.reject(new Error('gone'))
    const next = createCatalog({ catalog: gone, rules: gone, areaMap: gone })
    await next.load()
    expect([next.catalog.value, next.rules.value]).toEqual([catalog, rules])
  })

  it('of a broken store is empty', () => {
    localStorage.setItem('wh.catalog', '{')
    localStorage.setItem('wh.rules', 'null')
    const store = createCatalog({ catalog: async () => catalog, rules: async () => [], areaMap: async () => [] })
    expect([store.catalog.value.kinds, store.rules.value]).toEqual([[], []])
  })
})

describe('a dead letter', () => {
  it('is read whatever form its record has', () => {
    const base = { n: 7, at: 1 }
    expect(letterOf({ ...base, redriven_at: 5, record: { stage: 'decode', reason: 'bad', device: 'd', topic: 't', payload: { a: 1 }, metrics: ['x', 'y'] } }))
      .toEqual({ n: 7, at: 1, redrivenAt: 5, stage: 'decode', reason: 'bad', device: 'd', topic: 't', payload: '{"a":1}', part: 'x, y' })
    expect(letterOf({ ...base, record: 'just text' })).toMatchObject({ payload: 'just text', reason: '', redrivenAt: 0 })
    expect(letterOf({ ...base, record: { payload_base64: 'AAE=' } }).payload).toBe('AAE=')
    expect(letterOf({ ...base, record: null }).payload).toBe('')
  })
})
