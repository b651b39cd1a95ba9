import type { Phase, Pulse } from '../stream/protocol'

/** live: fresh and complete; delayed: a few seconds late; stale: silent; offline: silent and without a connection. */
export type Tone = 'live' | 'delayed' | 'replaying' | 'stale' | 'offline'

export const delayedAfter = 6_000
export const staleAfter = 12_000

/** Judges the link by the age of the last frame; `age` in milliseconds. */
export function toneOf(phase: Phase, age: number): Tone {
  const open = phase !== 'connecting'
  if (age > staleAfter) return open ? 'stale' : 'offline'
  if (phase === 'replaying' || phase === 'snapshot') return 'replaying'
  if (phase !== 'live' || age > delayedAfter) return 'delayed'
  return 'live'
}

/**
 * The page's reading of the worker's pulses. Ages go by the monotonic clock, so neither a changed wall clock nor a
 * worker that died can make old data look fresh.
 */
export class LinkState {
  private pulse: Pulse = { phase: 'connecting', age: Infinity, serverMs: 0, backlog: 0, attempt: 0, degraded: [] }
  private at: number
  /** Before the first frame the age counts from here: a page that never connects must say so too. */
  private readonly born: number
  /** When the stream was last complete. Heartbeats alone do not make a screen fresh that still lacks events. */
  private complete: number

  constructor(private readonly now: () => number) {
    this.born = now()
    this.at = this.born
    this.complete = this.born
  }

  take(pulse: Pulse): void {
    this.pulse = pulse
    this.at = this.now()
    if (pulse.phase === 'live') this.complete = this.at
  }

  get phase(): Phase {
    return this.pulse.phase
  }

  get degraded(): readonly string[] {
    return this.pulse.degraded
  }

  get backlog(): number {
    return this.pulse.backlog
  }

  /** Milliseconds since what is on the screen was known to be true. */
  age(): number {
    const now = this.now()
    const frame = Number.isFinite(this.pulse.age) ? this.pulse.age + now - this.at : now - this.born
    return this.pulse.phase === 'live' ? frame : Math.max(frame, now - this.complete)
  }

  tone(): Tone {
    return toneOf(this.pulse.phase, this.age())
  }

  /** The hub's clock now, or 0 before it was heard. */
  serverNow(): number {
    return this.pulse.serverMs && this.pulse.serverMs + (this.now() - this.at)
  }
}
