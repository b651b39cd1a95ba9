import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transition } from '../../src/api/types'
import { board, byUrgency, IncidentBook, tabOf } from '../../src/store/incidents'
import { incident, ledger, transition } from './make'

const epoch = 'k7'
const steps = fc.array(fc.record({ id: fc.nat(6), state: fc.nat(4), repeat: fc.boolean() }), { maxLength: 60 })

function book(from: readonly Transition[] = []): IncidentBook {
  const made = new IncidentBook()
  const last = new Map(from.map((event) => [event.incident.id, event.incident]))
  made.reset({ as_of: { epoch, seq: from[from.length - 1]?.seq ?? 0 }, incidents: [...last.values()] })
  return made
}

function state(made: IncidentBook): unknown {
  return made.all().sort((a, b) => (a.id < b.id ? -1 : 1))
}

describe('the book of incidents', () => {
  it('reaches the same state by a snapshot of any prefix and the rest replayed', () => {
    fc.assert(fc.property(steps, fc.nat(60), fc.nat(20), (raw, cut, overlap) => {
      const events = ledger(raw)
      const at = Math.min(cut, events.length)
      const full = book()
      full.apply(epoch, events)
      const resumed = book(events.slice(0, at))
      resumed.apply(epoch, events.slice(Math.max(0, at - overlap)))
      expect(state(resumed)).toEqual(state(full))
    }))
  })

  it('does not care how often or in which order transitions come', () => {
    fc.assert(fc.property(steps, fc.infiniteStream(fc.nat()), (raw, numbers) => {
      const events = ledger(raw)
      const shuffled = events.flatMap((event) => [event, event]).map((event) => ({ event, key: numbers.next().value as number }))
        .sort((a, b) => a.key - b.key).map(({ event }) => event)
      const [ordered, mixed] = [book(), book()]
      ordered.apply(epoch, events)
      for (const event of shuffled) mixed.apply(epoch, [event])
      expect(state(mixed)).toEqual(state(ordered))
    }))
  })

  it('refuses the transitions of another ledger', () => {
    const made = book()
    expect(made.apply('other', [transition(1)])).toEqual([])
    expect(made.all()).toEqual([])
  })

  it('takes the answer to a command only when it is newer than the stream', () => {
    const made = book()
    made.apply(epoch, [transition(1, { version: 3, state: 'acknowledged' })])
    made.overlay(incident({ version: 2, state: 'new' }))
    expect(made.get('A')?.state).toBe('acknowledged')
    made.overlay(incident({ version: 4, state: 'resolved' }))
    made.apply(epoch, [transition(2, { version: 3, state: 'acknowledged', occurrences: 2 })])
    expect(made.get('A')?.state).toBe('resolved')
  })

  it('forgets old closed incidents and not open ones, however old', () => {
    const made = book()
    made.apply(epoch, [transition(1, { id: 'old', state: 'closed', closed_at: 5 }), transition(2, { id: 'open', raised_at: 1 })])
    made.prune(1_000_000)
    expect(made.all().map((i) => i.id)).toEqual(['open'])
    expect(made.apply(epoch, [transition(1, { id: 'old', state: 'closed' })])).toEqual([])
  })
})

describe('the board', () => {
  it('orders by priority, then unacknowledged, then oldest, and never leaves two rows equal', () => {
    const rows = [
      incident({ id: 'd', priority: 2, raised_at: 1 }), incident({ id: 'b', priority: 1, raised_at: 9 }),
      incident({ id: 'c', priority: 1, raised_at: 2, state: 'acknowledged' }), incident({ id: 'a', priority: 1, raised_at: 9 }),
    ]
    expect(rows.sort(byUrgency).map((row) => row.id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('puts every incident under exactly one tab and counts it there', () => {
    const made = board([
      incident({ id: '1' }), incident({ id: '2', state: 'on_scene', priority: 2 }), incident({ id: '3', state: 'recovered', priority: 3 }),
      incident({ id: '4', state: 'resolved', resolved_at: 500 }), incident({ id: '5', state: 'resolved', resolved_at: 5 }), incident({ id: '6', state: 'merged' }), incident({ id: '7', priority: 4, order: true }),
    ], 100)
    expect(Object.fromEntries(Object.entries(made.rows).map(([tab, rows]) => [tab, rows.map((row) => row.id)])))
      .toEqual({ new: ['1'], handling: ['2'], orders: ['7'], recovered: ['3'], done: ['4'] })
    expect(made.counters[1]).toEqual({ unacked: 1, handling: 0 })
    expect(made.counters[4], 'a silent order is not unacknowledged').toEqual({ unacked: 0, handling: 0 })
    expect(made.counters[2]).toEqual({ unacked: 0, handling: 1 })
  })

  it('does not list yesterday under today', () => {
    expect(tabOf(incident({ state: 'closed', resolved_at: 5, closed_at: 6 }), 7)).toBeNull()
  })
})
