import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Snapshot, Transition } from '../../src/api/types'
import { backoff } from '../../src/stream/backoff'
import { parseFrame, type ClientFrame, type ServerFrame, type ToPage } from '../../src/stream/protocol'
import { StreamSession } from '../../src/stream/session'
import { transition } from './make'

const epoch = 'k7'

function setup(seq = 10, known = epoch) {
  const sent: ClientFrame[] = []
  const emitted: ToPage[] = []
  const snapshots: Snapshot[] = []
  const session = new StreamSession({ epoch: known, seq }, {
    send: (frame) => sent.push(frame),
    emit: (message) => emitted.push(message),
    snapshot: async () => {
      const next = snapshots.shift()
      if (!next) throw new Error('no snapshot')
      return next
    },
    later: (ms, task) => {
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
    greeted: () => {},
  })
  const events = () => emitted.flatMap((m) => (m.m === 'events' ? m.events.map((e) => e.seq) : []))
  return { session, sent, emitted, snapshots, events }
}

function welcome(head: number, resume: 'ok' | 'snapshot' = 'ok', e = epoch): ServerFrame {
  return { t: 'welcome', epoch: e, head, ring_min: 0, server_ms: 1, hb_ms: 5000, build: 'x', resume, user: { name: 'li', role: 'operator' } }
}

function batch(f: number, l: number, r?: 1, e = epoch): ServerFrame {
  const ev: Transition[] = []
  for (let seq = f; seq <= l; seq++) ev.push(transition(seq))
  return { t: 'b', e, f, l, ms: 1, ...(r ? { r } : {}), ev }
}

const snapshotAt = (seq: number, e = epoch): Snapshot => ({ as_of: { epoch: e, seq }, server_ms: 1, incidents: [], devices: [], areas: [] })

beforeEach(() => {
  vi.useFakeTimers()
})

describe('the numbered stream', () => {
  it('is live at once when nothing was missed', () => {
    const { session, sent } = setup(10)
    session.start('tab')
    session.receive(welcome(10))
    expect(sent).toEqual([{ t: 'hello', epoch, seq: 10, tab: 'tab' }])
    expect(session.phase).toBe('live')
  })

  it('replays up to the head of the welcome before it calls itself live', () => {
    const { session, events } = setup(10)
    session.receive(welcome(14))
    expect([session.phase, session.backlog()]).toEqual(['replaying', 4])
    session.receive(batch(11, 12, 1))
    expect(session.phase).toBe('replaying')
    session.receive(batch(13, 14, 1))
    expect(session.phase).toBe('live')
    expect(events()).toEqual([11, 12, 13, 14])
  })

  it('drops what it has, and takes the new part of a batch that overlaps', () => {
    const { session, events } = setup(10)
    session.receive(welcome(10))
    session.receive(batch(9, 10))
    session.receive(batch(10, 12))
    session.receive(batch(12, 12))
    expect(events()).toEqual([11, 12])
  })

  it('accepts an empty range: a filter may hide every event of it', () => {
    const { session } = setup(10)
    session.receive(welcome(10))
    session.receive({ t: 'b', e: epoch, f: 11, l: 20, ms: 1, ev: [] })
    session.receive(batch(21, 21))
    expect([session.cursor.seq, session.phase]).toEqual([21, 'live'])
  })

  it('asks again for a hole and applies nothing behind it', () => {
    const { session, sent, events } = setup(10)
    session.receive(welcome(10))
    session.receive(batch(12, 12))
    session.receive(batch(13, 13))
    expect(sent).toEqual([{ t: 'resume', epoch, seq: 10 }])
    expect([events(), session.phase]).toEqual([[], 'replaying'])
    session.receive(batch(11, 13, 1))
    expect([events(), session.phase]).toEqual([[11, 12, 13], 'live'])
    vi.advanceTimersByTime(10_000)
    expect(sent).toHaveLength(1)
  })

  it('takes a snapshot after two requests without an answer', async () => {
    const { session, sent, snapshots, emitted } = setup(10)
    snapshots.push(snapshotAt(15))
    session.receive(welcome(10))
    session.receive(batch(12, 12))
    await vi.advanceTimersByTimeAsync(1_900)
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(sent).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(2_100)
    expect(emitted.some((m) => m.m === 'snapshot')).toBe(true)
    expect(sent[sent.length - 1]).toEqual({ t: 'resume', epoch, seq: 15 })
    expect(session.phase).toBe('live')
  })

  it('takes a snapshot for another epoch, in the welcome and in a batch', async () => {
    for (const frames of [[welcome(3, 'ok', 'new')], [welcome(10), batch(11, 11, undefined, 'new')]]) {
      const { session, snapshots } = setup(10)
      snapshots.push(snapshotAt(3, 'new'))
      for (const frame of frames) session.receive(frame)
      await vi.advanceTimersByTimeAsync(1)
      expect(session.cursor).toEqual({ epoch: 'new', seq: 3 })
    }
  })

  it('asks again when a heartbeat knows more than ever came, but not for a batch on its way', () => {
    const { session, sent } = setup(10)
    session.receive(welcome(10))
    session.receive({ t: 'hb', head: 11, server_ms: 1 })
    session.receive(batch(11, 11))
    vi.advanceTimersByTime(1_500)
    expect(sent).toEqual([])
    session.receive({ t: 'hb', head: 13, server_ms: 1 })
    vi.advanceTimersByTime(1_500)
    expect(sent).toEqual([{ t: 'resume', epoch, seq: 11 }])
  })

  it('takes a snapshot when the ledger stays behind, and forgives one late heartbeat', async () => {
    const { session, snapshots, emitted } = setup(10)
    snapshots.push(snapshotAt(4))
    session.receive(welcome(10))
    session.receive({ t: 'hb', head: 9, server_ms: 1 })
    session.receive({ t: 'hb', head: 10, server_ms: 1 })
    session.receive({ t: 'hb', head: 4, server_ms: 1 })
    expect(session.phase).toBe('live')
    session.receive({ t: 'hb', head: 4, server_ms: 1 })
    await vi.advanceTimersByTimeAsync(1)
    expect(emitted.some((m) => m.m === 'snapshot')).toBe(true)
  })

  it('does as a resync says', async () => {
    const { session, sent, snapshots } = setup(10)
    session.receive(welcome(10))
    session.receive({ t: 'resync' })
    expect(sent).toEqual([{ t: 'resume', epoch, seq: 10 }])
    snapshots.push(snapshotAt(20))
    session.receive({ t: 'resync', snapshot: true })
    await vi.advanceTimersByTimeAsync(1)
    expect(session.cursor.seq).toBe(20)
  })

  it('keeps asking for a snapshot that fails, and never shows an old one after closing', async () => {
    const { session, snapshots, emitted } = setup(0, '')
    session.receive(welcome(5, 'snapshot'))
    await vi.advanceTimersByTimeAsync(3_500)
    expect(session.phase).toBe('snapshot')
    snapshots.push(snapshotAt(5))
    session.close()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(emitted.some((m) => m.m === 'snapshot')).toBe(false)
  })
})

describe('frames', () => {
  it('are skipped when they are junk', () => {
    for (const text of ['', '{', 'null', '[]', '7', '{"t":"nope"}', '{"t":"b","e":"k","f":"1","l":2}', '{"t":"hb"}', '{"t":"constructor"}']) {
      expect(parseFrame(text), text).toBeNull()
    }
    expect(parseFrame('{"t":"hb","head":1,"server_ms":2}')).toEqual({ t: 'hb', head: 1, server_ms: 2 })
  })
})

describe('backoff', () => {
  it('grows to five seconds, spread by half to either side', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 99].map((n) => backoff(n, () => 0.5))).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
    expect([backoff(5, () => 0), backoff(5, () => 1)]).toEqual([2500, 7500])
  })
})

describe('a page that begins with a snapshot', () => {
  it('asks for what was before it and gives that to the log only', async () => {
    const { session, sent, emitted, snapshots, events } = setup(0, '')
    snapshots.push(snapshotAt(120))
    session.receive({ ...welcome(120, 'snapshot'), ring_min: 90 } as ServerFrame)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent[sent.length - 1], 'not before what the hub still has').toEqual({ t: 'resume', epoch, seq: 90 })
    expect(session.phase, 'the past is nothing to wait for').toBe('live')
    session.receive(batch(91, 110, 1))
    session.receive(batch(111, 121, 1))
    expect(emitted.flatMap((m) => (m.m === 'past' ? m.events.map((e) => e.seq) : []))).toEqual(Array.from({ length: 30 }, (_, i) => 91 + i))
    expect(events(), 'what is new comes as ever').toEqual([121])
  })

  it('asks for 50 numbers at the most, and not again when the hub wants another snapshot', async () => {
    const { session, sent, snapshots } = setup(0, '')
    snapshots.push(snapshotAt(5_000), snapshotAt(5_001))
    session.receive(welcome(5_000, 'snapshot'))
    await vi.advanceTimersByTimeAsync(1)
    session.receive({ t: 'resync', snapshot: true })
    await vi.advanceTimersByTimeAsync(1)
    expect(sent.filter((frame) => frame.t === 'resume').map((frame) => frame.seq)).toEqual([4_950, 5_001])
  })
})
