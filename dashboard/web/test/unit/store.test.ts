import { describe, expect, it } from 'vitest'
import { toColumns } from '../../src/devices/series'
import { ageParts, duration, reading } from '../../src/frame/format'
import { validate } from '../../src/incidents/validate'
import { browserCheck, clockCheck, linkCheck, mayStart, secureCheck, soundCheck } from '../../src/shift/checks'
import { conditionOf, DeviceBook, tally } from '../../src/store/devices'
import { mergeLog } from '../../src/store/eventlog'
import { FrozenOrder, successor } from '../../src/store/freeze'
import { LinkState, toneOf } from '../../src/store/link'
import { device, transition } from './make'

describe('the link', () => {
  it('is live only while fresh and complete', () => {
    expect(toneOf('live', 6_000)).toBe('live')
    expect(toneOf('live', 6_001)).toBe('delayed')
    expect(toneOf('live', 12_001)).toBe('stale')
    expect(toneOf('replaying', 100)).toBe('replaying')
    expect(toneOf('snapshot', 100)).toBe('replaying')
    expect(toneOf('greeting', 100)).toBe('delayed')
    expect(toneOf('connecting', 100)).toBe('delayed')
    expect(toneOf('connecting', 12_001)).toBe('offline')
  })

  it('grows old without its worker, and a page that never connected says so', () => {
    let now = 0
    const link = new LinkState(() => now)
    now = 13_000
    expect(link.tone()).toBe('offline')
    link.take({ phase: 'live', age: 100, serverMs: 50_000, backlog: 0, attempt: 0, degraded: [] })
    expect(link.tone()).toBe('live')
    now += 12_000
    expect([link.tone(), link.age(), link.serverNow()]).toEqual(['stale', 12_100, 62_000])
  })
})

describe('a link that has heartbeats but never the events', () => {
  it('is stale after 12 s', () => {
    let now = 0
    const link = new LinkState(() => now)
    link.take({ phase: 'live', age: 0, serverMs: 1, backlog: 0, attempt: 0, degraded: [] })
    for (now = 1_000; now <= 13_000; now += 1_000) link.take({ phase: 'snapshot', age: 0, serverMs: now, backlog: 0, attempt: 0, degraded: [] })
    expect(link.tone()).toBe('stale')
    link.take({ phase: 'live', age: 0, serverMs: now, backlog: 0, attempt: 0, degraded: [] })
    expect(link.tone()).toBe('live')
  })
})

describe('the frozen order', () => {
  it('keeps every row in place under a hand and counts who waits and who left', () => {
    const order = new FrozenOrder()
    order.update(['a', 'b', 'c'], false)
    expect(order.update(['x', 'c', 'a'], true)).toEqual({ ids: ['a', 'b', 'c'], waiting: 1, gone: 1 })
    expect(order.update(['x', 'c', 'a'], false)).toEqual({ ids: ['x', 'c', 'a'], waiting: 0, gone: 0 })
  })

  it('never holds back the first row of an empty list', () => {
    const order = new FrozenOrder()
    order.update([], true)
    expect(order.update(['a'], true)).toEqual({ ids: ['a'], waiting: 0, gone: 0 })
  })

  it('lets rows in when asked, and then freezes again', () => {
    const order = new FrozenOrder()
    order.update(['a'], true)
    order.release(['b', 'a'])
    expect(order.update(['c', 'b', 'a'], true)).toEqual({ ids: ['b', 'a'], waiting: 1, gone: 0 })
  })

  it('hands the focus on to the next row', () => {
    expect(successor(['a', 'b', 'c'], ['a', 'c'], 'b')).toBe('c')
    expect(successor(['a', 'b', 'c'], ['a', 'b'], 'c')).toBe('b')
    expect(successor(['a'], [], 'a')).toBeNull()
    expect(successor(['a', 'b'], ['b', 'a'], 'a')).toBe('a')
  })
})

describe('devices', () => {
  it('take the newest version only', () => {
    const book = new DeviceBook()
    book.apply([device({ v: 3, silent: true }), device({ v: 2 })])
    expect(book.get('btn-1')?.silent).toBe(true)
    book.reset([device({ v: 1 })])
    expect(book.get('btn-1')?.v).toBe(1)
  })

  it('never heard is not the same as silent or offline', () => {
    expect(conditionOf(device({ last_seen: 0, online: null }))).toBe('unknown')
    expect(conditionOf(device({ online: null }))).toBe('normal')
    expect(conditionOf(device({ online: false }))).toBe('offline')
    expect(conditionOf(device({ online: false, silent: true }))).toBe('silent')
    expect(conditionOf(device({ silent: true, out_of_service: true }))).toBe('out_of_service')
    expect(tally([device(), device({ silent: true })])).toMatchObject({ total: 2, normal: 1, silent: 1 })
  })
})

describe('the log', () => {
  it('keeps the last fifty, newest first, each once', () => {
    const events = Array.from({ length: 60 }, (_, index) => transition(index + 1))
    const log = mergeLog(mergeLog([], events), events.slice(50))
    expect(log.map((event) => event.seq)).toEqual(Array.from({ length: 50 }, (_, index) => 60 - index))
  })
})

describe('a series', () => {
  const point = (ts: number) => ({ ts, min: 1, max: 3, mean: 2, n: 1 })
  const series = (points: ReturnType<typeof point>[]) => ({ device: 'd', metric: 'm', from: 0, to: 1, every_ms: 1000, points })

  it('draws a silence as a gap', () => {
    const [, mean] = toColumns(series([point(0), point(1000), point(5000)]), 0)
    expect(mean).toEqual([2, 2, null, 2])
  })

  it('does not call the usual pause of a slow device a silence', () => {
    const [, mean] = toColumns(series([point(0), point(5000), point(10_000)]), 5000)
    expect(mean).toEqual([2, 2, 2])
  })
})

describe('a command', () => {
  it('that ends an emergency needs an outcome and an explanation', () => {
    expect(validate('resolve', true, { text: '误触', disposition: '' })).toEqual({ disposition: 'dialog.needDisposition', text: 'dialog.needText' })
    expect(validate('resolve', true, { text: '误触已核', disposition: 'false_press' })).toEqual({})
    expect(validate('resolve', false, { text: '', disposition: 'test' })).toEqual({})
    expect(validate('unacknowledge', true, { text: ' ', disposition: '' })).toEqual({ text: 'dialog.needReason' })
    expect(validate('note', true, { text: 'a', disposition: '' })).toEqual({})
  })
})

describe('the start of shift', () => {
  it('needs a tone that was heard and nothing that failed', () => {
    const good = [soundCheck('heard'), clockCheck(9_000), linkCheck(true, false), browserCheck('Chrome/90.0'), secureCheck('open')]
    expect(mayStart(good, 'heard')).toBe(true)
    expect(mayStart(good, 'unheard')).toBe(false)
    expect(mayStart([...good, linkCheck(false, true)], 'heard')).toBe(false)
    expect(mayStart([...good, linkCheck(false, false)], 'heard')).toBe(false)
    expect(mayStart([...good, browserCheck('Chrome/89.0')], 'heard')).toBe(false)
  })
})

describe('figures', () => {
  it('read as clocks do', () => {
    expect([duration(-5), duration(131_000), duration(3_731_000)]).toEqual(['00:00', '02:11', '1:02:11'])
    expect([ageParts(59_999), ageParts(60_000), ageParts(90_000_000)]).toEqual([{ unit: 'seconds', n: 59 }, { unit: 'minutes', n: 1 }, { unit: 'days', n: 1 }])
    expect([reading('battery_pct', 87.04), reading('rssi_dbm', -91), reading('mains', 1), reading('x', undefined)]).toEqual(['87%', '-91 dBm', '1', '–'])
  })
})
