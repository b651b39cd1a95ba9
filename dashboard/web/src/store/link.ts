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
  private pulse: Pulse = { phase: 'connecting', age: Infinity, serverMs: 0, backlog: 0, attempt: 0 }
  private at: number
  /** Before the first frame the age counts from here: a page that never connects must say so too. */
  private readonly born: number

  constructor(private readonly now: () => number) {
    this.born = now()
    this.at = this.born
  }

  take(pulse: Pulse): void {
    this.pulse = pulse
    this.at = this.now()
  }

  get phase(): Phase {
    return this.pulse.phase
  }

  get backlog(): number {
    return this.pulse.backlog
  }

  age(): number {
    const since = this.now() - this.at
    return Number.isFinite(this.pulse.age) ? this.pulse.age + since : this.now() - this.born
  }

  tone(): Tone {
    return toneOf(this.pulse.phase, this.age())
  }

  /** The hub's clock now, or 0 before it was heard. */
  serverNow(): number {
    return this.pulse.serverMs && this.pulse.serverMs + (this.now() - this.at)
  }
}
