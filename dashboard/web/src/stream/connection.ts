import type { Cursor, Snapshot } from '../api/types'
import { backoff } from './backoff'
import { parseFrame, type AudioReport, type ClientFrame, type Phase, type ServerFrame, type ToPage } from './protocol'
import { StreamSession } from './session'

/** The part of a WebSocket that a connection uses. */
export interface Socket {
  readonly readyState: number
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

/** The world outside a connection, so that tests may replace sockets and time. `now` is monotonic. */
export interface ConnectionPorts {
  open(): Socket
  emit(message: ToPage): void
  snapshot(): Promise<Snapshot>
  /** false when the session of this browser is over. */
  signedIn(): Promise<boolean>
  now(): number
  later(ms: number, task: () => void): () => void
}

const openSocket = 1
const silentAfter = 20_000
const connectPatience = 8_000
const ruptureCode = 4000

/**
 * Keeps one stream open for ever: reconnects with backoff, drops a connection that fell silent for 20 s, and reports a
 * pulse (phase, age of the last frame, the hub's clock) each second. It stops only for a session that ended.
 */
export class Connection {
  private socket: Socket | null = null
  private session: StreamSession | null = null
  private attempt = 0
  private openedAt = 0
  private lastFrame = -Infinity
  private serverMs = 0
  private degraded: readonly string[] = []
  private stopped = true
  private audio: AudioReport | null = null
  private cancelRetry: (() => void) | null = null
  private cancelTick: (() => void) | null = null

  constructor(
    private readonly ports: ConnectionPorts,
    private readonly cursor: Cursor = { epoch: '', seq: 0 },
    private readonly tab = '',
  ) {}

  start(): void {
    if (!this.stopped) return
    this.stopped = false
    this.connect()
    this.tick()
  }

  stop(): void {
    this.stopped = true
    this.cancelRetry?.()
    this.cancelTick?.()
    this.drop('stopped')
  }

  /** Something suggests that the network is back, or that time was lost: do not wait for the backoff. */
  kick(): void {
    if (this.stopped) return
    if (!this.socket) return this.connect()
    if (this.age() > 6_000 && this.ports.now() - this.openedAt > 2_000) this.rupture()
  }

  seen(seq: number): void {
    this.send({ t: 'seen', seq })
  }

  reportAudio(state: AudioReport): void {
    this.audio = state
    if (this.session && this.session.phase !== 'greeting') this.send({ t: 'audio', state })
  }

  private phase(): Phase {
    return this.session?.phase ?? 'connecting'
  }

  private age(): number {
    return this.ports.now() - this.lastFrame
  }

  private connect(): void {
    this.cancelRetry?.()
    this.cancelRetry = null
    this.openedAt = this.ports.now()
    const socket = this.ports.open()
    this.socket = socket
    socket.onopen = () => this.greet(socket)
    socket.onmessage = (event) => this.onMessage(socket, event)
    socket.onclose = () => this.onClose(socket)
    this.pulse()
  }

  private greet(socket: Socket): void {
    if (socket !== this.socket) return
    this.openedAt = this.ports.now()
    this.session = new StreamSession(this.cursor, {
      send: (frame) => this.send(frame),
      emit: (message) => this.ports.emit(message),
      snapshot: () => this.ports.snapshot(),
      later: (ms, task) => this.ports.later(ms, task),
      greeted: () => this.onGreeted(),
    })
    this.session.start(this.tab)
    this.pulse()
  }

  private onGreeted(): void {
    this.attempt = 0
    if (this.audio) this.send({ t: 'audio', state: this.audio })
  }

  private onMessage(socket: Socket, event: MessageEvent): void {
    if (socket !== this.socket) return
    const frame = parseFrame(String(event.data))
    if (!frame) return
    const before = this.phase()
    this.lastFrame = this.ports.now()
    this.readClock(frame)
    if (frame.t === 'hb') this.degraded = (frame.degraded ?? []).filter((code) => typeof code === 'string')
    this.session?.receive(frame)
    if (frame.t === 'hb' || frame.t === 'welcome' || this.phase() !== before) this.pulse()
  }

  private readClock(frame: ServerFrame): void {
    if (frame.t === 'welcome' || frame.t === 'hb') this.serverMs = frame.server_ms
    else if (frame.t === 'b' || frame.t === 'dev') this.serverMs = Math.max(this.serverMs, frame.ms || 0)
  }

  private onClose(socket: Socket): void {
    if (socket !== this.socket) return
    const greeted = this.session !== null && this.session.phase !== 'greeting'
    this.release()
    if (this.stopped) return
    this.retry()
    if (!greeted) void this.probe()
    this.pulse()
  }

  /** A refused upgrade does not say why: ask whether the session still holds. */
  private async probe(): Promise<void> {
    if (await this.ports.signedIn()) return
    if (this.stopped) return
    this.stop()
    this.ports.emit({ m: 'auth' })
  }

  private retry(): void {
    this.cancelRetry?.()
    this.cancelRetry = this.ports.later(backoff(this.attempt++), () => this.connect())
  }

  private rupture(): void {
    this.drop('silent')
    this.retry()
    this.pulse()
  }

  /** A black-holed socket reports its close minutes later: it is forgotten, not waited for. */
  private drop(reason: string): void {
    const socket = this.socket
    this.release()
    socket?.close(ruptureCode, reason)
  }

  private release(): void {
    this.session?.close()
    this.session = null
    this.socket = null
  }

  private tick(): void {
    this.cancelTick = this.ports.later(1000, () => this.tick())
    const waited = this.ports.now() - this.openedAt
    const open = this.socket?.readyState === openSocket
    if (open && Math.min(waited, this.age()) > silentAfter) return this.rupture()
    if (this.socket && !open && waited > connectPatience) return this.rupture()
    this.pulse()
  }

  private pulse(): void {
    const age = this.age()
    const serverMs = this.serverMs && this.serverMs + age
    const backlog = this.session?.backlog() ?? 0
    this.ports.emit({ m: 'pulse', pulse: { phase: this.phase(), age, serverMs, backlog, attempt: this.attempt, degraded: this.degraded } })
  }

  private send(frame: ClientFrame): void {
    if (this.socket?.readyState === openSocket) this.socket.send(JSON.stringify(frame))
  }
}
