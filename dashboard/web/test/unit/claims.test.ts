import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import en from '../../src/i18n/en'
import zh from '../../src/i18n/zh-CN'
import { allowedActions, type Asker } from '../../src/incidents/allowed'
import { calledBefore, spanParts, waitingSince } from '../../src/incidents/clocks'
import { secureCheck, securityOf } from '../../src/shift/checks'
import { splitFault, wantInChinese } from '../../src/frame/faults'
import { splitPlace } from '../../src/frame/languages'
import { conditionOf, tally } from '../../src/store/devices'
import { device, incident } from './make'

/** The clocks that a rules file may name (alerts and the contract). */
const ladder = ['louder', 'l1', 'auto_dispatch', 'l3']
const clocks = [
  'remind', 'progress', 'overdue', 'visit', 'review', 'close', 'close_recovered', 'voice', 'outcome', 'offer', 'wave', 'depart', 'arrive', 'report', 'recontact', 'due',
]
const badges = ['delayed', 'clock_fault', 'unreadable', 'repeat', 'recurrence', 'unknown_place', 'cancelled', 'confirmed', 'test']

const rulesFile = readFileSync('../../alerts/rules.yaml', 'utf8')
const shippedRules = [...rulesFile.matchAll(/^ {2}- id: (\S+)/gm)].map((match) => match[1]!)

describe('the words of rules', () => {
  it('name each shipped rule and no other, in both languages', () => {
    expect(shippedRules.length).toBeGreaterThan(30)
    for (const words of [zh, en]) expect(Object.keys(words.rule).sort()).toEqual([...shippedRules].sort())
  })

  it('name each badge that a shipped rule gives', () => {
    const given = [...rulesFile.matchAll(/^ {4}badges: \[(.*)\]/gm)].flatMap((match) => match[1]!.split(/,\s*/))
    expect(given.length).toBeGreaterThan(3)
    for (const words of [zh, en]) for (const name of given) expect(words.badge).toHaveProperty(name)
  })
})

describe('the words of clocks', () => {
  it('exist for every clock and badge, in both languages', () => {
    for (const words of [zh, en]) {
      for (const name of clocks) expect(words.deadline, name).toHaveProperty(name)
      for (const name of badges) expect(words.badge, name).toHaveProperty(name)
    }
  })

  it('do not say that somebody was told, sent or reported to: a step of the ladder is the time that nobody acknowledged', () => {
    for (const words of [zh, en]) for (const name of ladder) expect(words.deadline).not.toHaveProperty(name)
    const said = [zh.clock, en.clock, { remind: zh.deadline.remind, overdue: zh.deadline.overdue }, { remind: en.deadline.remind, overdue: en.deadline.overdue }]
    for (const text of said.flatMap((group) => Object.values(group))) expect(text).not.toMatch(/通知|上报|已派|派单|told|report|dispatch|sent/i)
    expect(zh.kindOfChange.escalated).not.toMatch(/通知|上报/)
  })

  it('tell the time from when the incident began to wait, and none that the page cannot know', () => {
    expect(waitingSince(incident({ version: 1, raised_at: 5_000 }))).toBe(5_000)
    expect(waitingSince(incident({ version: 3, raised_at: 5_000 })), 'acknowledged and given back: it waits anew').toBe(0)
    const story = [{ kind: 'raised', at: 1 }, { kind: 'acknowledged', at: 5 }, { kind: 'lapsed', at: 9 }, { kind: 'escalated', at: 20 }]
    expect([calledBefore(story, 3), calledBefore(story, 1)]).toEqual([9, 1])
    expect([30_000, 180_000, 900_000, 14_400_000, 259_200_000].map(spanParts)).toEqual([
      { unit: 'seconds', n: 30 }, { unit: 'seconds', n: 180 }, { unit: 'minutes', n: 15 }, { unit: 'hours', n: 4 }, { unit: 'days', n: 3 },
    ])
  })
})

describe('the buttons', () => {
  const zhang: Asker = { name: 'zhang', permissions: ['handle', 'review'] }

  it('offer what the hub allows in a state, and nothing else', () => {
    const offered = (patch: Parameters<typeof incident>[0]) => allowedActions(incident({ active: false, ...patch }), zhang)
    expect(offered({ state: 'new' })).toEqual(['acknowledge', 'note'])
    expect(offered({ state: 'acknowledged' })).toEqual(['resolve', 'note', 'unacknowledge'])
    expect(offered({ state: 'on_scene' }), 'only who has just acknowledged may give it back').toEqual(['resolve', 'note'])
    expect(offered({ state: 'resolved', resolved_by: 'li' })).toEqual(['close', 'reopen', 'note'])
    expect(offered({ state: 'closed' }), 'what is closed stays closed').toEqual([])
    expect(offered({ state: 'merged' })).toEqual([])
  })

  it('do not let who resolved an emergency review himself, nor close what still goes on', () => {
    const offered = (patch: Parameters<typeof incident>[0]) => allowedActions(incident({ state: 'resolved', active: false, ...patch }), zhang)
    expect(offered({ priority: 1, resolved_by: 'zhang' })).toEqual(['reopen', 'note'])
    expect(offered({ priority: 3, resolved_by: 'zhang' })).toEqual(['close', 'reopen', 'note'])
    expect(offered({ priority: 3, resolved_by: 'li', active: true })).toEqual(['reopen', 'note'])
    expect(offered({ priority: 3, state: 'recovered' })).toEqual(['resolve', 'close', 'note'])
  })
})

describe('a device', () => {
  it('whose bin is full is not normal, and one that is silent is called so first', () => {
    const bin = (fill: number, patch = {}) => device({ kind: 'sorting_point', metrics: { fill_wet_pct: 3, fill_dry_pct: fill, battery_pct: 99 }, ...patch })
    expect([79, 80, 94.9, 95, 130].map((fill) => conditionOf(bin(fill)))).toEqual(['normal', 'nearly_full', 'nearly_full', 'full', 'full'])
    expect(conditionOf(bin(99, { silent: true }))).toBe('silent')
    expect(conditionOf(device({ metrics: { battery_pct: 99 } }))).toBe('normal')
    expect(tally([bin(99), bin(3), device({ silent: true })])).toMatchObject({ total: 3, normal: 1, full: 1, silent: 1, nearly_full: 0 })
  })
})

describe('the security of the connection', () => {
  it('is that of the protocol the page was fetched with; a loopback address is local and not encrypted', () => {
    const at = (address: string) => securityOf(new URL(address) as unknown as Location)
    expect(['https://10.1.2.3', 'https://localhost'].map(at)).toEqual(['encrypted', 'encrypted'])
    expect(['http://localhost:8080', 'http://127.0.0.1', 'http://127.9.9.9', 'http://[::1]:80'].map(at)).toEqual(['local', 'local', 'local', 'local'])
    expect(['http://10.1.2.3', 'http://hub.lan', 'http://localhost.evil.cn', 'http://127.0.0.1.nip.io'].map(at)).toEqual(['open', 'open', 'open', 'open'])
    expect(secureCheck('open').verdict).toBe('warn')
    expect([zh.shift.secureLocal, zh.shift.secureBad].every((text) => text.includes('未加密'))).toBe(true)
  })
})

describe('the hub’s faults of fields', () => {
  it('are told in Chinese, with what was filled in; an unknown one is never shown as if it were', () => {
    expect(wantInChinese('want a registered device of kind gateway, got "nowhere"')).toBe('已登记的网关')
    expect(wantInChinese('want degrees from -90 to 90, got north')).toBe('-90 到 90 的度数')
    expect(wantInChinese('want a header with at least id,kind, got nothing')).toBe('表头至少要有 id,kind')
    expect(splitFault('want mains, battery or nothing, got "fire"')).toEqual({ want: 'mains, battery or nothing', got: '"fire"' })
    expect(wantInChinese('want the moon, got cheese')).toBe('')
  })
})

describe('a long place', () => {
  it('is shortened in its middle: floor and room stay', () => {
    expect(splitPlace('东波 12号 302室')).toEqual({ head: '', tail: '东波 12号 302室' })
    const { head, tail } = splitPlace('浦东新区沪东新村街道东波路一百二十弄东波苑第三居民小区28号楼乙单元17层1703室')
    expect(tail).toBe('乙单元17层1703室'.slice(-11))
    expect(head + tail).toContain('28号楼乙单元')
  })
})
