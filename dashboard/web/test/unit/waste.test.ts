import { describe, expect, it } from 'vitest'
import type { PointLevels } from '../../src/api/types'
import { pointsOf, sorted } from '../../src/waste/points'
import { device } from './make'

const point = (id: string, metrics: Record<string, number>, area = 'a') => device({ id, area, kind: 'sorting_point', metrics })
const level = (patch: Partial<PointLevels['streams'][number]>) => ({ stream: 'wet' as const, fill_pct: 50, at: 1, rate_pct_h: 3, full_at: 0, emptied_at: 0, ...patch })

describe('the sorting board', () => {
  it('shows the newer level of the stream beside the forecast', () => {
    const levels = new Map([['p', { device: 'p', streams: [level({ full_at: 900, emptied_at: 7 }), level({ stream: 'dry', fill_pct: 20, rate_pct_h: -2 })] }]])
    const [found] = pointsOf([point('p', { fill_wet_pct: 61 }), device({ id: 'b' })], levels, new Map())
    expect(found!.fractions).toEqual([{ stream: 'wet', fill: 61, trend: 'rising', fullAt: 900 }, { stream: 'dry', fill: 20, trend: 'falling', fullAt: 0 }])
    expect([found!.fill, found!.next?.stream, found!.emptiedAt]).toEqual([61, 'wet', 7])
  })

  it('works without any forecast', () => {
    const [found] = pointsOf([point('p', { fill_dry_pct: 12, temp_c: 9 })], new Map(), new Map())
    expect(found).toMatchObject({ fill: 12, next: undefined, emptiedAt: 0, temperature: 9, fractions: [{ stream: 'dry', trend: undefined, fullAt: 0 }] })
  })

  it('puts the full first, then who is full soonest, then who has no forecast by level', () => {
    const devices = [point('late', { fill_wet_pct: 90 }, 'c'), point('none', { fill_wet_pct: 94 }, 'b'), point('soon', { fill_wet_pct: 40 }, 'b'), point('full', { fill_wet_pct: 96 }), point('less', { fill_wet_pct: 10 })]
    const levels = new Map([['late', 900], ['soon', 500]].map(([id, at]) => [id, { device: String(id), streams: [level({ full_at: Number(at) })] }] as [string, PointLevels]))
    const points = pointsOf(devices, levels, new Map())
    expect(sorted(points, 'full').map((one) => one.device.id)).toEqual(['full', 'soon', 'late', 'none', 'less'])
    expect(sorted(points, 'fill').map((one) => one.device.id)).toEqual(['full', 'none', 'late', 'soon', 'less'])
    expect(sorted(points, 'area').map((one) => one.device.id)).toEqual(['full', 'less', 'none', 'soon', 'late'])
  })
})
