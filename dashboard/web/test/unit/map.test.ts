import fc from 'fast-check'
import gcoord from 'gcoord'
import { describe, expect, it } from 'vitest'
import type { AreaFeature } from '../../src/api/types'
import { shifterOf } from '../../src/map/datum'
import { metres, nearest, within } from '../../src/map/geo'
import { buildingOf, byNeed, spotsOf } from '../../src/map/spots'
import { device, incident } from './make'

const square = (holes: [number, number][][] = []): AreaFeature => ({
  properties: { id: 'c', name: '', name_en: '' },
  geometry: { type: 'Polygon', coordinates: [[[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]], ...holes] },
})

describe('places', () => {
  it('are as far apart as a map says', () => {
    expect(metres({ lat: 31.23, lon: 121.47 }, { lat: 31.24, lon: 121.47 })).toBeCloseTo(1112, -1)
    expect(metres({ lat: 31.23, lon: 121.47 }, { lat: 31.23, lon: 121.48 })).toBeCloseTo(951, -1)
    const found = nearest({ lat: 0, lon: 0 }, [{ lat: 3, lon: 0 }, { lat: 1, lon: 0 }, { lat: 2, lon: 0 }], 2)
    expect(found.map(({ to }) => to.lat)).toEqual([1, 2])
  })

  it('lie within a border, but not in its holes', () => {
    expect(within({ lat: 31.5, lon: 121.5 }, square())).toBe(true)
    expect(within({ lat: 30.9, lon: 121.5 }, square())).toBe(false)
    expect(within({ lat: 31.5, lon: 121.5 }, square([[[121.4, 31.4], [121.6, 31.4], [121.6, 31.6], [121.4, 31.6]]]))).toBe(false)
    const two: AreaFeature = { ...square(), geometry: { type: 'MultiPolygon', coordinates: [[[[0, 0], [1, 0], [1, 1], [0, 1]]], [[[121, 31], [122, 31], [122, 32], [121, 32]]]] } }
    expect(within({ lat: 31.5, lon: 121.5 }, two)).toBe(true)
  })

  it('in Shanghai shift to GCJ-02 and back within a metre', () => {
    const shift = (lat: number, lon: number) => {
      const [y, x] = shifterOf('gcj02').place({ lat, lon })
      return { lat: y, lon: x }
    }
    // The pair that eviltransform, the published formula, is tested with.
    expect(metres(shift(31.1774276, 121.5272106), { lat: 31.17530398364597, lon: 121.531541859215 })).toBeLessThanOrEqual(1)
    for (const [lat, lon] of [[31.1774276, 121.5272106], [31.2304, 121.4737], [31.26, 121.58]] as const) {
      const shifted = shift(lat, lon)
      expect(metres({ lat, lon }, shifted)).toBeGreaterThan(300)
      const [x, y] = gcoord.transform([shifted.lon, shifted.lat], gcoord.GCJ02, gcoord.WGS84)
      expect(metres({ lat, lon }, { lat: y, lon: x })).toBeLessThanOrEqual(1)
    }
    expect(shifterOf('wgs84').place({ lat: 31.2, lon: 121.5 })).toEqual([31.2, 121.5])
  })
})

describe('markers', () => {
  const at = { lat: 31.5, lon: 121.5, area: 'c' }
  const room = (id: string, name: string) => device({ id, name, ...at })

  it('gather the buttons of one building and count them', () => {
    const devices = [room('a', '洪安苑29号301室'), room('b', '洪安苑29号502室'), room('c', '洪安苑9号1室'), device({ ...at, id: 'h', kind: 'safety_house', name: '洪安苑29号' })]
    const { all } = spotsOf(devices, new Map(), [])
    expect(all.map((spot) => [spot.name, spot.devices.length])).toEqual([['洪安苑29号', 2], ['洪安苑9号1室', 1], ['洪安苑29号', 1]])
    expect([buildingOf(devices[0]!), buildingOf(room('x', '门岗'))]).toEqual(['洪安苑29号', ''])
    expect(spotsOf([{ ...devices[0]!, place: 'p' }, { ...devices[2]!, place: 'p' }], new Map(), []).all).toHaveLength(1)
  })

  it('take the priority of the worst that is open there; silence counts too', () => {
    const open = new Map([['a', incident({ device: 'a', priority: 3 })], ['b', incident({ device: 'b', priority: 1, state: 'acknowledged' })]])
    const devices = [room('a', 'x 1号1室'), room('b', 'x 1号2室'), device({ ...at, id: 'h', kind: 'safety_house', silent: true }), device({ ...at, id: 'g', kind: 'garage' })]
    const { all } = spotsOf(devices, open, [])
    expect(all.map((spot) => [spot.priority, spot.acked])).toEqual([[1, true], [2, true], [null, true]])
    expect([...all].reverse().sort(byNeed).map((spot) => spot.priority)).toEqual([1, 2, null])
  })

  it('without coordinates are listed, outside of all borders doubted; nothing is lost', () => {
    fc.assert(fc.property(fc.array(fc.record({
      lat: fc.option(fc.double({ min: 30, max: 33, noNaN: true })), lon: fc.option(fc.double({ min: 120, max: 123, noNaN: true })),
      kind: fc.constantFrom('emergency_button', 'safety_house', 'gateway'), name: fc.constantFrom('一村1号1室', '一村1号2室', '门岗'),
    })), (places) => {
      const devices = places.map((place, i) => device({ ...place, id: `d${i}` }))
      const { all, unplaced, doubtful } = spotsOf(devices, new Map(), [square()])
      expect(all.flatMap((spot) => spot.devices).length + unplaced.length).toBe(devices.length)
      for (const spot of all) expect(doubtful.includes(spot)).toBe(!within(spot, square()))
    }))
  })
})
