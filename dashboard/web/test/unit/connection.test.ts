import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Connection, type Socket } from '../../src/stream/connection'
import type { Pulse, ToPage } from '../../src/stream/protocol'

class FakeSocket implements Socket {
  readyState = 0
  sent: string[] = []
  closed: number | undefined
  onopen: ((event: Event) => void) | null = null
  onmessage: ((event: MessageEvent) => void) | null = null
  onclose: ((event: CloseEvent) => void) | null = null

  open(): void {
    this.readyState = 1
    this.onopen?.(new Event('open'))
  }

  take(frame: unknown): void {
    this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(frame) }))
  }

  fail(): void {
    this.readyState = 3
    this.onclose?.(new Event('close') as CloseEvent)
  }

  send(data: string): void {
    this.sent.push(data)
  }

  close(code?: number): void {
    this.closed = code
    this.readyState = 2 // a black hole: the close event never comes
  }
}

function setup(signedIn = true) {
  const sockets: FakeSocket[] = []
  const messages: ToPage[] = []
  const connection = new Connection({
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    emit: (message) => messages.push(message),
    snapshot: async () => ({ as_of: { epoch: 'k', seq: 1 }, server_ms: 1, incidents: [], devices: [], areas: [] }),
    signedIn: async () => signedIn,
    now: () => performance.now(),
    later: (ms, task) => {
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
  }, { epoch: 'k', seq: 1 }, 'tab')
  const pulses = (): Pulse[] => messages.flatMap((m) => (m.m === 'pulse' ? [m.pulse] : []))
  return { connection, sockets, messages, pulse: () => pulses()[pulses().length - 1]! }
}

const welcome = { t: 'welcome', epoch: 'k', head: 1, ring_min: 0, server_ms: 5, hb_ms: 5000, build: 'x', resume: 'ok', user: { name: 'li', role: 'operator' } }

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})

describe('a connection', () => {
  it('drops a stream that fell silent for 20 s and comes back with its cursor', () => {
    const { connection, sockets, pulse } = setup()
    connection.start()
    sockets[0]!.open()
    sockets[0]!.take(welcome)
    expect(pulse().phase).toBe('live')
    vi.advanceTimersByTime(19_000)
    expect(sockets[0]!.closed).toBeUndefined()
    vi.advanceTimersByTime(2_000)
    expect([sockets[0]!.closed, pulse().phase]).toEqual([4000, 'connecting'])
    vi.advanceTimersByTime(300)
    sockets[1]!.open()
    expect(JSON.parse(sockets[1]!.sent[0]!)).toEqual({ t: 'hello', epoch: 'k', seq: 1, tab: 'tab' })
  })

  it('waits longer after each failure, and not at all when told that the network is back', async () => {
    const { connection, sockets } = setup()
    connection.start()
    for (const wait of [250, 500, 1000]) {
      const before = sockets.length
      sockets[before - 1]!.fail()
      await vi.advanceTimersByTimeAsync(wait - 10)
      expect(sockets).toHaveLength(before)
      await vi.advanceTimersByTimeAsync(20)
      expect(sockets).toHaveLength(before + 1)
    }
    sockets[sockets.length - 1]!.fail()
    const before = sockets.length
    connection.kick()
    expect(sockets).toHaveLength(before + 1)
  })

  it('gives up on a handshake that never ends', () => {
    const { connection, sockets } = setup()
    connection.start()
    vi.advanceTimersByTime(10_000)
    expect(sockets.length).toBeGreaterThan(1)
  })

  it('stops and asks for a sign-in when the session is over', async () => {
    const { connection, sockets, messages } = setup(false)
    connection.start()
    sockets[0]!.fail()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(messages.filter((m) => m.m === 'auth')).toHaveLength(1)
    expect(sockets).toHaveLength(1)
    connection.start()
    expect(sockets).toHaveLength(2)
  })

  it('tells the hub about the loudspeaker again after each reconnection', () => {
    const { connection, sockets } = setup()
    connection.reportAudio('blocked')
    connection.start()
    sockets[0]!.open()
    sockets[0]!.take(welcome)
    expect(sockets[0]!.sent.map((text) => JSON.parse(text) as unknown)).toContainEqual({ t: 'audio', state: 'blocked' })
  })

  it('survives junk', () => {
    const { connection, sockets, pulse } = setup()
    connection.start()
    sockets[0]!.open()
    sockets[0]!.take(welcome)
    sockets[0]!.onmessage?.(new MessageEvent('message', { data: '{"t":' }))
    sockets[0]!.take({ t: 'b', e: 'k', f: 'x', l: 2 })
    expect(pulse().phase).toBe('live')
  })
})
