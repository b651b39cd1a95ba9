import type { Cursor, Snapshot } from '../api/types'
import type { BatchFrame, ClientFrame, HeartbeatFrame, Phase, ResyncFrame, ServerFrame, ToPage, WelcomeFrame } from './protocol'

/** What a session needs from the outside; times in milliseconds. */
export interface SessionPorts {
  send(frame: ClientFrame): void
  emit(message: ToPage): void
  snapshot(): Promise<Snapshot>
  /** Runs `task` later; the returned function cancels it. */
  later(ms: number, task: () => void): () => void
  /** The stream greeted us: the connection works. */
  greeted(): void
}

const gapPatience = 2000
const headPatience = 1000
const snapshotPatience = 1000
/** So many numbers before a snapshot are asked for, for the log of events: a page that was opened anew shows it as well. */
const pastLength = 50

/**
 * The numbered alert stream over one connection: applies each number once and in order, asks for what is missing, and
 * takes a snapshot when two requests brought nothing. A session ends with its connection; the cursor outlives it.
 */
export class StreamSession {
  phase: Phase = 'greeting'
  private target = 0
  private gaps = 0
  private behind = 0
  /** The smallest number that may be asked for when a page begins; none once its past was asked for. */
  private oldest: number | null = null
  /** Numbers up to here are the past of the snapshot. */
  private past = 0
  private closed = false
  private cancelGap: (() => void) | null = null
  private cancelHead: (() => void) | null = null
  private cancelSnapshot: (() => void) | null = null

  constructor(readonly cursor: Cursor, private readonly ports: SessionPorts) {}

  start(tab: string): void {
    this.ports.send({ t: 'hello', epoch: this.cursor.epoch, seq: this.cursor.seq, tab })
  }

  close(): void {
    this.closed = true
    this.settleGap()
    this.cancelHead?.()
    this.cancelSnapshot?.()
  }

  /** Events known to exist that have not come yet. */
  backlog(): number {
    return this.phase === 'live' ? 0 : Math.max(0, this.target - this.cursor.seq)
  }

  receive(frame: ServerFrame): void {
    switch (frame.t) {
      case 'welcome': return this.onWelcome(frame)
      case 'b': return this.onBatch(frame)
      case 'hb': return this.onHeartbeat(frame)
      case 'resync': return this.onResync(frame)
      case 'dev': return this.ports.emit({ m: 'devices', devices: frame.dev ?? [] })
    }
  }

  private onWelcome(frame: WelcomeFrame): void {
    this.ports.greeted()
    this.ports.emit({ m: 'welcome', build: frame.build, user: frame.user })
    this.target = frame.head
    const known = frame.epoch === this.cursor.epoch && frame.head >= this.cursor.seq
    if (frame.resume === 'ok' && known) return this.follow()
    this.oldest = frame.ring_min
    this.takeSnapshot(0)
  }

  /** Replays up to the target, or is live when there is nothing to replay. */
  private follow(): void {
    this.phase = this.cursor.seq >= this.target ? 'live' : 'replaying'
  }

  private onBatch(frame: BatchFrame): void {
    if (this.phase === 'greeting' || this.phase === 'snapshot') return
    if (frame.e !== this.cursor.epoch) return this.takeSnapshot(0)
    this.tellPast(frame)
    if (frame.l <= this.cursor.seq) return
    if (frame.f > this.cursor.seq + 1) {
      this.target = Math.max(this.target, frame.l)
      return this.onGap()
    }
    this.apply(frame)
  }

  private tellPast(frame: BatchFrame): void {
    const events = (frame.ev ?? []).filter((event) => event.seq <= this.past)
    if (events.length > 0) this.ports.emit({ m: 'past', epoch: frame.e, events })
  }

  private apply(frame: BatchFrame): void {
    const events = (frame.ev ?? []).filter((event) => event.seq > this.cursor.seq)
    this.cursor.seq = frame.l
    this.gaps = 0
    this.settleGap()
    this.follow()
    this.ports.emit({ m: 'events', epoch: frame.e, events, replayed: frame.r === 1 })
  }

  /** Asks for the missing numbers; unanswered twice, it gives up on replay and takes the whole state. */
  private onGap(): void {
    if (this.cancelGap) return
    this.phase = 'replaying'
    if (this.gaps >= 2) return this.takeSnapshot(0)
    this.gaps++
    this.ports.send({ t: 'resume', epoch: this.cursor.epoch, seq: this.cursor.seq })
    this.cancelGap = this.ports.later(gapPatience, () => {
      this.cancelGap = null
      this.onGap()
    })
  }

  private settleGap(): void {
    this.cancelGap?.()
    this.cancelGap = null
  }

  private onHeartbeat(frame: HeartbeatFrame): void {
    if (this.phase === 'greeting' || this.phase === 'snapshot') return
    // One beat may have been written before a batch that overtook it; two mean that the ledger went back.
    this.behind = frame.head < this.cursor.seq ? this.behind + 1 : 0
    if (this.behind >= 2) return this.takeSnapshot(0)
    if (frame.head <= this.cursor.seq || this.cancelHead) return
    // A batch may still be on its way: only a head nobody delivers is a gap.
    this.cancelHead = this.ports.later(headPatience, () => {
      this.cancelHead = null
      if (this.cursor.seq >= frame.head || this.phase === 'snapshot') return
      this.target = Math.max(this.target, frame.head)
      this.onGap()
    })
  }

  private onResync(frame: ResyncFrame): void {
    if (this.phase === 'greeting' || this.phase === 'snapshot') return
    if (frame.snapshot) return this.takeSnapshot(0)
    this.settleGap()
    this.gaps = 0
    this.onGap()
  }

  /** Where to resume after a snapshot: a little earlier when the page begins with it. */
  private pastOf(seq: number): number {
    const from = this.oldest === null ? seq : Math.min(seq, Math.max(this.oldest, seq - pastLength))
    this.oldest = null
    this.past = from < seq ? seq : 0
    return from
  }

  private takeSnapshot(wait: number): void {
    this.phase = 'snapshot'
    this.behind = 0
    this.settleGap()
    this.cancelSnapshot?.()
    this.cancelSnapshot = this.ports.later(wait, () => void this.loadSnapshot())
  }

  private async loadSnapshot(): Promise<void> {
    try {
      const snapshot = await this.ports.snapshot()
      if (this.closed || this.phase !== 'snapshot') return
      this.adopt(snapshot)
    } catch {
      if (!this.closed) this.takeSnapshot(snapshotPatience)
    }
  }

  private adopt(snapshot: Snapshot): void {
    this.cursor.epoch = snapshot.as_of.epoch
    this.cursor.seq = snapshot.as_of.seq
    this.gaps = 0
    this.ports.emit({ m: 'snapshot', snapshot })
    this.ports.send({ t: 'resume', epoch: this.cursor.epoch, seq: this.pastOf(this.cursor.seq) })
    this.follow()
  }
}
